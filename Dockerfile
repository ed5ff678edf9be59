# The bundle is the only code in the image. Could not be built where this was written (no container engine): CONTRIBUTING.md says how to try it.
FROM node:26-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY test/package/oldest-node/package.json test/package/oldest-node/package.json
COPY test/testbed/package.json test/testbed/package.json
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts scripts
COPY src src
RUN node scripts/build.ts

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /src/dist/irsa-operator.mjs /irsa-operator.mjs
COPY --from=build /src/dist/parts/*.mjs /parts/
COPY LICENSE /LICENSE
USER 65532:65532
EXPOSE 8080 8081
ENV NODE_ENV=production
ENTRYPOINT ["/usr/local/bin/node", "/irsa-operator.mjs"]
CMD ["run"]
