# The steps of this file, without Docker, are run by tests/test_packaging.py. docs/operating.md says how to start it.
FROM python:3.11-slim AS build
RUN python -m venv /opt/httpstep
COPY requirements.lock /src/
RUN /opt/httpstep/bin/pip install --no-cache-dir --require-hashes -r /src/requirements.lock
COPY pyproject.toml setup.py requirements.txt README.md LICENSE httpstep_client.py /src/
COPY httpstep /src/httpstep
COPY templates /src/templates
COPY static /src/static
COPY migrations /src/migrations
RUN /opt/httpstep/bin/pip install --no-cache-dir --no-deps /src

FROM python:3.11-slim
COPY --from=build /opt/httpstep /opt/httpstep
RUN useradd --system --uid 10001 --no-create-home httpstep && install -d -o httpstep -g httpstep -m 0700 /data
ENV PATH=/opt/httpstep/bin:$PATH PYTHONDONTWRITEBYTECODE=1 HTTPSTEP_DATA=/data HTTPSTEP_LISTEN=0.0.0.0:8080
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=6s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=5)"]
CMD ["httpstep", "serve"]
