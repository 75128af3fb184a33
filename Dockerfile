# All images: `docker build --build-arg COMPONENT=search --tag headwater-search .` (docs/images.md). What is in one is
# chosen by scripts/image.ts, which also makes the same images without Docker; a test holds the two together.
ARG COMPONENT=gateway

# Nothing of it gets into an image but the few libraries of Debian that Node and native modules load.
FROM node:24.21.0-bookworm-slim@sha256:2fe369e969550cde8e867afc3fe370b260140cab4a23d467074295b42163d553 AS build
ARG COMPONENT
ARG HEADWATER_REVISION=""
ARG HEADWATER_CREATED=1970-01-01T00:00:00.000Z
WORKDIR /checkout
COPY . .
RUN node scripts/setup.mjs && npm run image -- "$COMPONENT" --layers /layers

# What all images have in common, which is no layer.
FROM scratch AS common
ARG HEADWATER_REVISION=""
ARG HEADWATER_CREATED=1970-01-01T00:00:00.000Z
LABEL org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$HEADWATER_REVISION" \
      org.opencontainers.image.created="$HEADWATER_CREATED"
ENV PATH=/usr/local/bin \
    NODE_ENV=production \
    NODE_COMPILE_CACHE=/app/.compile-cache \
    HEADWATER_DATA_DIR=/tmp/headwater
WORKDIR /app
USER 65532:65532

FROM common AS ingest
LABEL org.opencontainers.image.description="Reads documents from the log, parses, chunks and indexes them"
EXPOSE 7001 9464
ENTRYPOINT ["/usr/local/bin/node", "--disable-warning=ExperimentalWarning", "/app/services/ingest/main.ts"]

FROM common AS embedding-worker
LABEL org.opencontainers.image.description="Embeds and reranks passages with ONNX"
ENV HEADWATER_EMBEDDING_BATCH_TOKENS=256
EXPOSE 7002 9464
ENTRYPOINT ["/usr/local/bin/node", "--disable-warning=ExperimentalWarning", "/app/services/embedding-worker/main.ts"]

FROM common AS search
LABEL org.opencontainers.image.description="Finds passages: BM25 and vectors side by side, fusion, rerank"
EXPOSE 7003 9464
ENTRYPOINT ["/usr/local/bin/node", "--disable-warning=ExperimentalWarning", "/app/services/search/main.ts"]

FROM common AS generation
LABEL org.opencontainers.image.description="Writes cited answers, and keeps conversations, agents and jobs"
EXPOSE 7004 9464
ENTRYPOINT ["/usr/local/bin/node", "--disable-warning=ExperimentalWarning", "/app/services/generation/main.ts"]

FROM common AS gateway
LABEL org.opencontainers.image.description="HTTP, SSE, WebSocket, gRPC-Web and the page"
EXPOSE 8080 9464
ENTRYPOINT ["/usr/local/bin/node", "--disable-warning=ExperimentalWarning", "/app/services/gateway/main.ts"]

FROM common AS scaler
LABEL org.opencontainers.image.description="Tells KEDA how many replicas the load needs"
EXPOSE 7005 9464
ENTRYPOINT ["/usr/local/bin/node", "--disable-warning=ExperimentalWarning", "/app/services/scaler/main.ts"]

FROM common AS cli
LABEL org.opencontainers.image.description="The headwater command: jobs, checks and backups inside a cluster"
ENTRYPOINT ["/usr/local/bin/node", "--disable-warning=ExperimentalWarning", "/app/apps/cli/main.ts"]

FROM ${COMPONENT}
ARG COMPONENT
LABEL org.opencontainers.image.title="headwater-$COMPONENT"
COPY --from=build /layers/base/ /
COPY --from=build /layers/shared-packages/ /
COPY --from=build /layers/packages/ /
COPY --from=build /layers/model/ /
COPY --from=build /layers/code/ /
