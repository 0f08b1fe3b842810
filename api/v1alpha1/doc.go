// Package v1alpha1 is what users of the operator write and read: MFAUser, the MFA account of one person, and
// MFAConnection, the way to one TrustBuilder MFA service. It imports apimachinery alone, so that other programs can use
// it without the operator.
//
// +kubebuilder:object:generate=true
// +groupName=trustbuilder-mfa.dev
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package="../applyconfiguration"
package v1alpha1
