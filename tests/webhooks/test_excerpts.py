"""What is kept of an answer, and that no answer makes a sender work for it."""

from __future__ import annotations

import time

import pytest

from webhooks.delivery.excerpts import readable


def cpu_of(answer: bytes) -> float:
    def once() -> float:
        before = time.process_time()
        for _ in range(5):
            readable(answer)
        return time.process_time() - before

    return min(once() for _ in range(5))


@pytest.mark.parametrize(
    "run", ["/" * 127 + " ", "://" * 42 + "<", "a:/" * 42 + "(", "a/" * 63 + "'", "a" * 127 + " "]
)
def test_a_hostile_answer_costs_about_what_an_ordinary_one_does(run: str) -> None:
    ordinary = ("The server could not find what you asked for at /a/b. " * 80).encode()[:4096]

    assert cpu_of((run * 100).encode()[:4096]) < 4 * cpu_of(ordinary)


def test_a_long_run_is_left_out_and_the_words_around_it_stay() -> None:
    assert readable(b"before " + b"x/" * 100 + b" after?" + b"y" * 127) == (
        "before [...] after?" + "y" * 127
    )
