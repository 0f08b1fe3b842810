package main

import (
	"cmp"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// listParts writes what each binary is made of, as its own build information says: modules, their versions and hashes, and
// the Go toolchain.
func listParts(o *options, binaries []binary) error {
	for _, b := range binaries {
		info, err := buildinfo.ReadFile(b.path)
		if err != nil {
			return fmt.Errorf("read what %s is made of: %w", b.path, err)
		}
		if err := writeParts(filepath.Join(o.out, b.label(o.version)+".cdx.json"), partsOf(o, &b, info)); err != nil {
			return err
		}
	}
	return nil
}

// partsOf makes a CycloneDX list without serial number, so that the same binary has the same list.
func partsOf(o *options, b *binary, info *debug.BuildInfo) *cdx.BOM {
	main := cdx.Component{
		Type: cdx.ComponentTypeApplication, Name: b.program, Version: o.version, BOMRef: "main",
		PackageURL: "pkg:golang/" + info.Main.Path + "@" + o.version + "#cmd/" + b.program,
	}
	components := []cdx.Component{{
		Type: cdx.ComponentTypeLibrary, Name: "std", Version: info.GoVersion, BOMRef: "std", PackageURL: "pkg:golang/std@" + info.GoVersion,
	}}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		ref := "pkg:golang/" + module.Path + "@" + module.Version
		components = append(components, cdx.Component{
			Type: cdx.ComponentTypeLibrary, Name: module.Path, Version: module.Version, BOMRef: ref, PackageURL: ref,
			Properties: &[]cdx.Property{{Name: "go:sum", Value: module.Sum}},
		})
	}
	slices.SortFunc(components, func(a, b cdx.Component) int { return cmp.Compare(a.BOMRef, b.BOMRef) })
	refs := make([]string, 0, len(components))
	for _, component := range components {
		refs = append(refs, component.BOMRef)
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: o.at.Format("2006-01-02T15:04:05Z"), Component: &main}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	return bom
}

func writeParts(path string, bom *cdx.BOM) (err error) {
	out, err := os.Create(path) //nolint:gosec // where the caller wants it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	encoder := cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON)
	encoder.SetPretty(true)
	return encoder.Encode(bom)
}
