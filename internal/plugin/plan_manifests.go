package plugin

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// manifests reads MFAUsers from files and has the API server complete them, as if they were applied.
func (p *planner) manifests(ctx context.Context, c client.Client, namespace string, files resource.FilenameOptions) ([]v1alpha1.MFAUser, error) {
	builder := resource.NewLocalBuilder().Unstructured().Local().ContinueOnError().Flatten()
	if usesStdin(files) {
		builder.Stream(p.In, "standard input") // FilenameParam would read the process's own
	} else {
		builder.FilenameParam(false, &files)
	}
	infos, err := builder.Do().Infos()
	if err != nil {
		return nil, fmt.Errorf("read the manifests: %w", err)
	}
	var users []v1alpha1.MFAUser
	others := 0
	for _, info := range infos {
		object, ok := info.Object.(*unstructured.Unstructured)
		if !ok || object.GroupVersionKind() != v1alpha1.SchemeGroupVersion.WithKind("MFAUser") {
			others++
			continue
		}
		if object.GetNamespace() == "" {
			object.SetNamespace(namespace)
		}
		user, err := completed(ctx, c, object)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", info.Source, err)
		}
		users = append(users, *user)
	}
	if others > 0 {
		fmt.Fprintf(p.ErrOut, "%d objects of other kinds are left out: connections count as they are in the cluster\n", others)
	}
	return users, nil
}

func usesStdin(files resource.FilenameOptions) bool {
	return len(files.Filenames) == 1 && files.Filenames[0] == "-"
}

// strict refuses fields that the API server does not know, as kubectl apply does.
const strict = client.FieldValidation(metav1.FieldValidationStrict)

// completed is the object as the API server would store it: with its defaults, held against the rules of the CRD, and with the
// status of the one that is there. Nothing is stored.
func completed(ctx context.Context, c client.Client, manifest *unstructured.Unstructured) (*v1alpha1.MFAUser, error) {
	what := fmt.Sprintf("check the manifest of MFAUser %s/%s", manifest.GetNamespace(), manifest.GetName())
	var user v1alpha1.MFAUser
	err := c.Get(ctx, client.ObjectKeyFromObject(manifest), &user)
	switch {
	case apierrors.IsNotFound(err):
		fresh := manifest.DeepCopy()
		unstructured.RemoveNestedField(fresh.Object, "status")
		if err := c.Create(ctx, fresh, client.DryRunAll, strict); err != nil {
			return nil, explain(err, what, "create its namespace first")
		}
		return typed(fresh)
	case err != nil:
		return nil, explain(err, what, "")
	}
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/spec", "value": manifest.Object["spec"]},
		{"op": "add", "path": "/metadata/annotations", "value": merged(user.Annotations, manifest.GetAnnotations())},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if err := c.Patch(ctx, &user, client.RawPatch(types.JSONPatchType, patch), client.DryRunAll, strict); err != nil {
		return nil, explain(err, what, "")
	}
	return &user, nil
}

func merged(maps ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range maps {
		for key, value := range m {
			out[key] = value
		}
	}
	return out
}

func typed(object *unstructured.Unstructured) (*v1alpha1.MFAUser, error) {
	raw, err := object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var user v1alpha1.MFAUser
	return &user, json.Unmarshal(raw, &user)
}
