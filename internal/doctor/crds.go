package doctor

import (
	"context"
	"reflect"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

const applyCRDs = "apply the CRDs of the operator's version: kubectl apply --server-side -k config/crd"

func (d *Doctor) crds(ctx context.Context) {
	d.crd(ctx, "mfaconnections."+v1alpha1.Group, reflect.TypeFor[v1alpha1.MFAConnection]())
	d.crd(ctx, "mfausers."+v1alpha1.Group, reflect.TypeFor[v1alpha1.MFAUser]())
}

func (d *Doctor) crd(ctx context.Context, name string, kind reflect.Type) {
	about := "crd " + name
	var crd apiextensionsv1.CustomResourceDefinition
	err := d.Client.Get(ctx, client.ObjectKey{Name: name}, &crd)
	switch {
	case apierrors.IsNotFound(err):
		d.fail(about, "it is not installed", applyCRDs)
		return
	case apierrors.IsForbidden(err):
		d.warn(about, "you may not read it", "ask somebody who may read CustomResourceDefinitions to run this")
		return
	case err != nil:
		d.fail(about, "it can't be read: "+err.Error(), "try again once the API server answers")
		return
	}
	if !established(&crd) {
		d.fail(about, "the API server does not serve it: "+whyNot(&crd), applyCRDs)
		return
	}
	at := slices.IndexFunc(crd.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool {
		return v.Name == v1alpha1.SchemeGroupVersion.Version && v.Served
	})
	if at < 0 {
		d.fail(about, "it does not serve the version "+v1alpha1.SchemeGroupVersion.Version, applyCRDs)
		return
	}
	if stored := crd.Status.StoredVersions; !slices.Equal(stored, []string{v1alpha1.SchemeGroupVersion.Version}) {
		d.warn(about, "objects may be stored in other versions too: "+strings.Join(stored, ", "), "migrate them before a version is removed from the CRD")
	}
	if missing := missingFields(crd.Spec.Versions[at].Schema, kind); len(missing) > 0 {
		d.fail(about, "it is older than kubectl mfa and drops fields that it knows: "+strings.Join(missing, ", "), applyCRDs)
		return
	}
	d.ok(about, "served, stored as %s, with all fields", strings.Join(crd.Status.StoredVersions, ", "))
}

func established(crd *apiextensionsv1.CustomResourceDefinition) bool {
	return slices.ContainsFunc(crd.Status.Conditions, func(c apiextensionsv1.CustomResourceDefinitionCondition) bool {
		return c.Type == apiextensionsv1.Established && c.Status == apiextensionsv1.ConditionTrue
	})
}

func whyNot(crd *apiextensionsv1.CustomResourceDefinition) string {
	for _, c := range crd.Status.Conditions {
		if c.Status == apiextensionsv1.ConditionFalse && c.Message != "" {
			return c.Message
		}
	}
	return "it is not established yet"
}

// missingFields are the fields of a Go type that a schema lacks: the API server would drop them without a word.
func missingFields(validation *apiextensionsv1.CustomResourceValidation, kind reflect.Type) (missing []string) {
	if validation == nil || validation.OpenAPIV3Schema == nil {
		return []string{"all"}
	}
	for _, part := range []string{"spec", "status"} {
		field, _ := kind.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, part) })
		missing = append(missing, lacking(part, validation.OpenAPIV3Schema.Properties[part], field.Type)...)
	}
	return missing
}

func lacking(path string, schema apiextensionsv1.JSONSchemaProps, kind reflect.Type) (missing []string) {
	for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice {
		if kind.Kind() == reflect.Slice && schema.Items != nil && schema.Items.Schema != nil {
			schema = *schema.Items.Schema
		}
		kind = kind.Elem()
	}
	// A type of one value on the wire, such as a time, has no properties.
	if kind.Kind() != reflect.Struct || schema.Type != "object" || !strings.HasPrefix(kind.PkgPath(), module) {
		return nil
	}
	for n := range kind.NumField() {
		name, _, _ := strings.Cut(kind.Field(n).Tag.Get("json"), ",")
		property, there := schema.Properties[name]
		if !there {
			missing = append(missing, path+"."+name)
			continue
		}
		missing = append(missing, lacking(path+"."+name, property, kind.Field(n).Type)...)
	}
	return missing
}

// module holds the types whose fields the CRDs describe; those of others are Kubernetes' own.
const module = "github.com/trustbuilder-mfa/operator/"
