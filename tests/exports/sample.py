"""Meetings with everything in them, in nine languages, and with what nobody should write."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from exports.renderers.minutes import (
    Item,
    Minutes,
    Note,
    Part,
    Participant,
    Stakeholder,
    Task,
    Topic,
)
from meetings.text.segments import Segment
from meetings.transcription.window_text import SpokenSegment, Word

# A title, two people, a decision and a task in each language.
TEXTS = {
    "en": (
        "Quarterly planning",
        "Anna Berg",
        "Ben Okafor",
        "We decided to launch the new website on the first of March.",
        "I will send the list of slow pages to the team by Friday.",
    ),
    "hu": (
        "Negyedéves tervezés",
        "Kovács Őrs",
        "Szűcs Ágnes",
        "Úgy döntöttünk, hogy március elsején indítjuk az új honlapot.",
        "Péntekig elküldöm a lassú oldalak listáját a csapatnak.",
    ),
    "sv": (
        "Kvartalsplanering",
        "Åsa Öberg",
        "Björn Ek",
        "Vi beslutade att lansera den nya webbplatsen den första mars.",
        "Jag skickar listan över långsamma sidor till gruppen före fredag.",
    ),
    "de": (
        "Quartalsplanung",
        "Jürgen Groß",
        "Käthe Müller",
        "Wir haben beschlossen, die neue Website am ersten März zu starten.",
        "Ich schicke bis Freitag die Liste der langsamen Seiten.",
    ),
    "hi": (
        "तिमाही योजना",
        "अनीता शर्मा",
        "राहुल वर्मा",
        "हमने पहली मार्च को नई वेबसाइट शुरू करने का निर्णय लिया।",
        "मैं शुक्रवार तक धीमे पन्नों की सूची टीम को भेज दूँगा।",
    ),
    "ur": (
        "سہ ماہی منصوبہ بندی",
        "عائشہ خان",
        "بلال احمد",
        "ہم نے یکم مارچ کو نئی ویب سائٹ شروع کرنے کا فیصلہ کیا۔",
        "میں جمعہ تک سست صفحات کی فہرست ٹیم کو بھیج دوں گا۔",
    ),
    "ar": (
        "تخطيط ربع سنوي",
        "ليلى حسن",
        "عمر فاروق",
        "قررنا إطلاق الموقع الجديد في الأول من مارس 2027.",
        "سأرسل قائمة الصفحات البطيئة إلى الفريق قبل يوم الجمعة.",
    ),
    "zh": (
        "季度规划会议",
        "李伟",
        "王芳",
        "我们决定在三月一日发布新网站。",
        "我会在星期五之前把缓慢页面的清单发给团队。",
    ),
    "ja": (
        "四半期計画会議",
        "佐藤健",
        "鈴木花子",
        "三月一日に新しいウェブサイトを公開することに決めました。",
        "金曜日までに遅いページの一覧をチームに送ります。",
    ),
}
LANGUAGES = tuple(TEXTS)

HOSTILE = {
    "controls": "bell \x07, escape \x1b[31m, nothing \x0b and delete \x7f",
    "surrogates": "half \ud83d of a pair \udc00",
    "noncharacters": "\ufffe and \uffff and \U0001ffff and \ue000",
    "bidi": "a \u202etxt.exe\u202c b \u2066c\u2069",
    "formula": '=HYPERLINK("http://127.0.0.1:9/x","click")',
    "other formulas": "@SUM(1+1)*cmd|' /C calc'!A0",
    "arrow": "first --> second <v Mallory>third</v> {\\an8}fourth",
    "typst": '#read("/etc/passwd") #import "@preview/x:1.0.0" $ x $ `raw` <label> @ref = head',
    "django": "{% include '/etc/passwd' %} {{ settings.SECRET_KEY }} {# no #}",
    "html": "<script src=//127.0.0.1:9/x></script><img src=x onerror=alert(1)> &amp; <!-- no -->",
    "markdown": "[click](javascript:alert(1)) ![x](http://127.0.0.1:9/x) *b* _c_ `d` | e | # f",
    "word": "_x0041_ ]]> \r\n\u2028 line ends",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈🇭🇺👍🏽 ",
}


def minutes(
    language: str = "en",
    *,
    segments: int = 24,
    chapters: int = 2,
    extra: str = "",
    with_words: bool = False,
) -> Minutes:
    """A meeting with something in every section, every text in one language."""
    title, anna, ben, decision, task = TEXTS[language]
    zone = ZoneInfo("Europe/Stockholm")
    said = tuple(
        _segment(position, (anna, ben)[position // 2 % 2], (decision, task)[position % 2] + extra)
        for position in range(segments)
    )
    talk = segments // 2 * 3800
    return Minutes(
        meeting_id="01a20120-2c33-720d-813f-2661fc926788",
        title=title,
        revision=7,
        starts_at=datetime(2026, 11, 20, 9, 0, tzinfo=zone),
        ends_at=datetime(2026, 11, 20, 12, 0, tzinfo=zone),
        time_zone="Europe/Stockholm",
        duration_ms=segments * 4000,
        platform="Zoom",
        organizer=anna,
        language=language,
        tags=("Q1", "web"),
        participants=(
            Participant(anna, Part.ORGANIZER, talk),
            Participant(ben, Part.SPEAKER, talk),
        ),
        stakeholders=(Stakeholder(ben, "CTO", task),),
        brief=f"{decision}\n{task}",
        summary=f"{decision} {task}\n{decision}",
        decisions=(Item(decision, 0, decision, is_confirmed=True), Item(decision, 4, decision)),
        action_items=(
            Task(task, 1, task, owner=ben, due_on=date(2026, 11, 27)),
            Task(task, 3, task, owner=anna, due_phrase="Friday", is_completed=True),
        ),
        topics=tuple(
            Topic(f"{title} {number + 1}", at := number * segments // chapters, at * 4000)
            for number in range(chapters)
        ),
        notes=(Note("encoding_recognised", "The file was read as windows-1252."),),
        segments=tuple(map(_timed, said)) if with_words else said,
    )


def _segment(position: int, speaker: str, text: str) -> Segment:
    start = position * 4000
    return Segment(text, speaker, start, start + 3800)


def _timed(segment: Segment) -> Segment:
    """As the product stores a segment that was heard: Whisper puts the space before a word."""
    words = segment.text.split(" ")
    assert segment.start_ms is not None
    start, step = segment.start_ms, 3800 // len(words)
    heard = SpokenSegment.of(
        tuple(
            Word(start + step * at, start + step * (at + 1), f" {word}", 0.9)
            for at, word in enumerate(words)
        )
    )
    return replace(segment, words=tuple(word[:3] for word in heard.bare_words()))


def with_text_everywhere(text: str) -> Minutes:
    """A meeting in which every field that can hold words holds these."""
    usual = minutes(segments=6)
    return replace(
        usual,
        title=text,
        platform=text,
        organizer=text,
        tags=(text,),
        participants=(Participant(text, Part.SPEAKER, 1000),),
        stakeholders=(Stakeholder(text, text, text),),
        brief=text,
        summary=text,
        decisions=(Item(text, 0, text),),
        action_items=(Task(text, 1, text, owner=text, due_phrase=text),),
        topics=(Topic(text, 0, 0), Topic(text, 3, 12_000)),
        segments=tuple(Segment(text, text, s.start_ms, s.end_ms) for s in usual.segments),
    )
