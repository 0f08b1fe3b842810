# Both images can be replaced: docker build --build-arg BUILDER=... --build-arg BASE=... .
ARG BUILDER=golang:1.26
ARG BASE=gcr.io/distroless/static:nonroot

FROM ${BUILDER} AS build
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=unknown
WORKDIR /src
# The modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download
COPY api/ api/
COPY cmd/manager/ cmd/manager/
COPY internal/ internal/
RUN CGO_ENABLED=0 GOOS=${TARGETOS:-linux} GOARCH=${TARGETARCH} \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /out/manager ./cmd/manager

FROM ${BASE}
COPY --from=build /out/manager /manager
# The number of nonroot, for a base image without that name; Kubernetes can check only a number against runAsNonRoot.
USER 65532:65532
ENTRYPOINT ["/manager"]
