# One image for all services: `docker build -t headwater .`, and the service is the command's argument.
FROM node:24.11.0-bookworm-slim AS build
WORKDIR /app
COPY . .
# The scripts that packages need are named in package.json; Node itself is the image's.
RUN npm ci --no-audit --no-fund && node scripts/setup.mjs && npm prune --omit=dev --no-audit --no-fund

FROM node:24.11.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build --chown=root:root /app /app
USER node
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning"]
CMD ["services/gateway/main.ts"]
