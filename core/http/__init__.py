"""The HTTP house kit: one error body, cursor pages, strict JSON, idempotent POSTs, first views."""
