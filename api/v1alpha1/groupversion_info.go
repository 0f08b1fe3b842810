package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group is the API group, and the domain of every label, annotation and finalizer of the operator.
const Group = "trustbuilder-mfa.dev"

// SchemeGroupVersion is the group and version of the kinds in this package. The name is the one that generated clients expect.
var SchemeGroupVersion = schema.GroupVersion{Group: Group, Version: "v1alpha1"}

// SchemeBuilder collects the kinds; AddToScheme registers them.
var (
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)
	AddToScheme   = SchemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion, &MFAUser{}, &MFAUserList{}, &MFAConnection{}, &MFAConnectionList{})
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
}
