# syntax=docker/dockerfile:1
# One image for every process. What a container does is its command: config/processes.py is the
# table, docker-compose.yml uses it, and without a command it serves the web.

# --- Packages, exactly those of uv.lock, each checked against its hash -------------------------
FROM python:3.13-slim-trixie AS packages
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /build
RUN pip install --no-cache-dir --root-user-action=ignore "uv==0.13.9"
COPY pyproject.toml uv.lock ./
# Exported first: requirements name no index, so one's own mirror (UV_DEFAULT_INDEX) works too.
RUN uv export --frozen --quiet --no-default-groups --no-emit-project --output-file requirements.txt \
 && uv venv --quiet /opt/venv \
 && uv pip sync --quiet --python /opt/venv/bin/python --require-hashes requirements.txt

# --- The image ---------------------------------------------------------------------------------
FROM python:3.13-slim-trixie
# libmagic tells the type of an upload by its first bytes, and PDFs need fonts for every script;
# Debian mends them, so they carry no version.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libmagic1t64 \
      fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin minutebook \
 && install -d -o minutebook -g minutebook -m 0750 \
      /var/lib/minutebook/files /var/lib/minutebook/clock
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 STORAGE_URL=/var/lib/minutebook/files \
    UPLOAD_FOLDER=/var/lib/minutebook/files
WORKDIR /srv/minutebook
COPY . .
# Neither step needs a secret, a database or a network. The code stays root's: processes only read it.
RUN python -m compileall -q . \
 && python manage.py collectstatic --no-input --verbosity 0
# By number, so that a cluster that forbids root can see it is not.
USER 10001:10001
EXPOSE 8000
CMD ["granian", "--interface", "asginl", "--http", "1", "--no-ws", "--no-access-log", \
     "--host", "0.0.0.0", "--port", "8000", "--workers", "1", "--backpressure", "8192", \
     "--workers-kill-timeout", "60", "config.asgi:application"]
