package main

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// writeSamples makes a kustomization of config/samples whose connection leads to the simulator. The samples themselves stay as
// they are: for a real service.
func writeSamples(dir, url, authority string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	samples, err := relative(dir, filepath.Join("config", "samples"))
	if err != nil {
		return err
	}
	patch, err := json.Marshal([]map[string]string{
		{"op": "replace", "path": "/spec/url", "value": url},
		{"op": "add", "path": "/spec/caBundle", "value": authority},
	})
	if err != nil {
		return err
	}
	// JSON is YAML, and kustomize takes either.
	overlay, err := json.MarshalIndent(map[string]any{
		"apiVersion": "kustomize.config.k8s.io/v1beta1",
		"kind":       "Kustomization",
		"resources":  []string{samples},
		"patches":    []any{map[string]any{"target": map[string]string{"kind": "MFAConnection"}, "patch": string(patch)}},
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "kustomization.yaml"), overlay, 0o600)
}

// relative is the path from one folder to another, as kustomize wants it. It follows links, which ".." does not go back through.
func relative(from, to string) (string, error) {
	var ends [2]string
	for i, path := range []string{from, to} {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		if ends[i], err = filepath.EvalSymlinks(absolute); err != nil {
			return "", err
		}
	}
	return filepath.Rel(ends[0], ends[1])
}
