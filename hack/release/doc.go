// Command release builds everything that a release consists of into a folder:
//
//   - manager, simulator and kubectl plugin for each platform, as archives;
//   - the image, put together from the manager's binary on an empty base, without a container engine: as an archive that
//     `docker load` and `podman load` read for each platform, and as one OCI layout for all of them;
//   - install.yaml, the chart, a list of parts (SBOM) for each binary, and checksums.
//
// The same commit and the same Go give the same bytes: nothing in there depends on when, where, in which order or with which
// settings of one's own it was built. The lists of parts say which Go it was.
//
//	make release VERSION=v0.1.0
//
// It runs in the root of the repository.
package main
