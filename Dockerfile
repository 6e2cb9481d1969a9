# Copyright The Valtuus Authors.
# SPDX-License-Identifier: Apache-2.0
#
# For those with a container engine; without one, make images makes the same image.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS TARGETARCH VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /valtuus .

FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="valtuus" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/valtuus/valtuus" \
      org.opencontainers.image.version="$VERSION"
COPY --from=build --chmod=555 /valtuus /valtuus
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/valtuus"]
