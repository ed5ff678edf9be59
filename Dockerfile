# For development and forks. A release is what `make image` writes, and a test compares both (docs/image.md).
FROM node:26-trixie-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY test/package/oldest-node/package.json test/package/oldest-node/package.json
COPY test/testbed/package.json test/testbed/package.json
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json LICENSE ./
COPY scripts scripts
COPY src src
RUN node scripts/build.ts

# It has libatomic, without which this Node does not start.
FROM gcr.io/distroless/nodejs26-debian13:nonroot
COPY --from=build /src/dist/irsa-operator.mjs /irsa-operator.mjs
COPY --from=build /src/dist/parts/*.mjs /parts/
COPY --from=build /src/LICENSE /src/dist/THIRD-PARTY-NOTICES.txt /licenses/
USER 65532:65532
EXPOSE 8080 8081
ENV NODE_ENV=production
ENV NODE_OPTIONS="--max-semi-space-size=4 --max-old-space-size=160"
ENTRYPOINT ["/nodejs/bin/node", "/irsa-operator.mjs"]
CMD ["run"]
