FROM python:3.13-slim-bookworm AS build
WORKDIR /source
RUN pip install --no-cache-dir "build>=1.2,<2"
COPY pyproject.toml README.md LICENSE ./
COPY projector projector
COPY sql sql
RUN python -m build --wheel --outdir /wheels

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin projector
COPY requirements.lock /tmp/requirements.lock
RUN pip install --no-cache-dir --require-hashes --requirement /tmp/requirements.lock
COPY --from=build /wheels /tmp/wheels
RUN pip install --no-cache-dir --no-deps /tmp/wheels/*.whl && rm -r /tmp/wheels
ENV PYTHONUNBUFFERED=1 PROJECTOR_LOG_FORMAT=json
USER 10001
EXPOSE 8080
# The process drains on SIGTERM; as the entry point itself it is the one that gets it.
STOPSIGNAL SIGTERM
ENTRYPOINT ["projector"]
CMD ["serve"]
