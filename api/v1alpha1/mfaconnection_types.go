package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SecretKeyReference names a key of a Secret in the same namespace.
type SecretKeyReference struct {
	// Name of the Secret. It must carry the label trustbuilder-mfa.dev/token: "true".
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// Key within the Secret.
	// +optional
	// +kubebuilder:default=token
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// RateLimit bounds the calls to the service.
type RateLimit struct {
	// RequestsPerSecond on average.
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	RequestsPerSecond int32 `json:"requestsPerSecond,omitempty"`
	// Burst is how many calls may be made at once after a quiet time.
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	Burst int32 `json:"burst,omitempty"`
}

// CodeLifetimes is how long codes live in this tenant. Used where the service does not say when a code expires.
type CodeLifetimes struct {
	// Short codes, and inactive ones once they are switched on.
	// +optional
	// +kubebuilder:default="15m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s)){1,3}$`
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) > duration('0s')",message="must be longer than no time at all"
	Short metav1.Duration `json:"short,omitzero"`
	// Inactive codes until they are switched on.
	// +optional
	// +kubebuilder:default="504h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s)){1,3}$`
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) > duration('0s')",message="must be longer than no time at all"
	Inactive metav1.Duration `json:"inactive,omitzero"`
	// Link is the life of activation links.
	// +optional
	// +kubebuilder:default="504h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s)){1,3}$`
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) > duration('0s')",message="must be longer than no time at all"
	Link metav1.Duration `json:"link,omitzero"`
}

// FromNamespaces says where users of a connection may live.
// +kubebuilder:validation:Enum=Same;All;Selector
type FromNamespaces string

// The values of FromNamespaces.
const (
	FromSame     FromNamespaces = "Same"
	FromAll      FromNamespaces = "All"
	FromSelector FromNamespaces = "Selector"
)

// The default of the field with this type states what the rule looks at: the API server checks a default before it fills in
// those inside.

// AllowedNamespaces says from which namespaces a connection may be used.
// +kubebuilder:validation:XValidation:rule="self.from == 'Selector' ? has(self.selector) : !has(self.selector)",message="selector goes with from: Selector, and only with it"
type AllowedNamespaces struct {
	// From Same, All, or the namespaces that match the selector.
	// +optional
	// +kubebuilder:default=Same
	From FromNamespaces `json:"from,omitempty"`
	// Selector of namespaces by their labels, for from: Selector.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// ConnectionAdoption says whether existing accounts may be taken over.
// +kubebuilder:validation:Enum=Deny;Allow;Always
type ConnectionAdoption string

// The values of ConnectionAdoption.
const (
	// ConnectionAdoptionDeny: no account is taken over.
	ConnectionAdoptionDeny ConnectionAdoption = "Deny"
	// ConnectionAdoptionAllow: users that say adoptionPolicy: IfExists may take over the account with their login.
	ConnectionAdoptionAllow ConnectionAdoption = "Allow"
	// ConnectionAdoptionAlways: every user takes over the account with its login; meant for a restore from backup.
	ConnectionAdoptionAlways ConnectionAdoption = "Always"
)

// ConnectionPolicy is what the owner of a connection allows its users.
type ConnectionPolicy struct {
	// LoginPatterns that a login must match one of: the whole login, * stands for any characters, case does not count.
	// Required unless allowedNamespaces.from is Same; left out there, every login is allowed.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	LoginPatterns []string `json:"loginPatterns,omitempty"`
	// Roles that accounts and group members may have. An account whose remote role is not among them is never adopted,
	// changed, blocked, deleted or given a code.
	// +optional
	// +listType=set
	// +kubebuilder:default={User}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	Roles []Role `json:"roles,omitempty"`
	// Groups that users may be put into: patterns like loginPatterns. None by default.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	Groups []string `json:"groups,omitempty"`
	// Adoption says who may take over an account that exists already. Deny: nobody. Allow: a user that says
	// adoptionPolicy: IfExists, the account with its login. Always: every user; meant for a restore from backup.
	// +optional
	// +kubebuilder:default=Deny
	Adoption ConnectionAdoption `json:"adoption,omitempty"`
}

// ChangeGuard is a brake on mass removals: deletes, blocks, recreations and Restore codes. When those of the window and those
// that wait are together more than it allows, none goes any more. The condition ChangesHeld says how many are held, and the
// annotation trustbuilder-mfa.dev/approve-removals: <n>/<token> lets that many of them go.
type ChangeGuard struct {
	// MaxRemovals is how many distinct accounts may lose their access within the window. With 0 each removal needs an approval.
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=0
	MaxRemovals *int32 `json:"maxRemovals,omitempty"`
	// Window over which removals are counted.
	// +optional
	// +kubebuilder:default="1h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s)){1,3}$`
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) > duration('0s')",message="must be longer than no time at all"
	Window metav1.Duration `json:"window,omitzero"`
}

// MFAConnectionSpec is the way to one TrustBuilder MFA service, and what its users may ask for.
// +kubebuilder:validation:XValidation:rule="self.allowedNamespaces.from == 'Same' || (has(self.policy.loginPatterns) && size(self.policy.loginPatterns) > 0)",message="policy.loginPatterns is required unless allowedNamespaces.from is Same"
type MFAConnectionSpec struct {
	// URL of the service: https, host and optionally port and path. Immutable.
	// +optional
	// +kubebuilder:default="https://kiwi.myinwebo.com"
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() == 'https' && url(self).getHostname() != '' && !self.contains('@') && !self.contains('?') && !self.contains('#') && !self.matches('\\\\s')",message="url must be https://host[:port][/path], without user, query, fragment or white space"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="url is immutable: create another MFAConnection instead"
	URL string `json:"url,omitempty"`
	// CABundle is PEM certificates to trust beside the system's, for a private gateway.
	// +optional
	// +kubebuilder:validation:MaxLength=262144
	CABundle string `json:"caBundle,omitempty"`
	// TokenSecretRef names the Secret with the API token.
	TokenSecretRef SecretKeyReference `json:"tokenSecretRef"`
	// ResyncInterval is how old the picture of the remote side may get. At least 2s.
	// +optional
	// +kubebuilder:default="10m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s)){1,3}$`
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('2s')",message="resyncInterval must be at least 2s"
	ResyncInterval metav1.Duration `json:"resyncInterval,omitzero"`
	// RateLimit of the calls to the service, shared by all users of this connection.
	// +optional
	// +kubebuilder:default={}
	RateLimit RateLimit `json:"rateLimit,omitzero"`
	// CodeLifetimes as set in the tenant, used where the service does not say.
	// +optional
	// +kubebuilder:default={}
	CodeLifetimes CodeLifetimes `json:"codeLifetimes,omitzero"`
	// AllowedNamespaces says from where MFAUsers may refer to this connection.
	// +optional
	// +kubebuilder:default={from:Same}
	AllowedNamespaces AllowedNamespaces `json:"allowedNamespaces,omitzero"`
	// Policy is what users of this connection may ask for.
	// +optional
	// +kubebuilder:default={}
	Policy ConnectionPolicy `json:"policy,omitzero"`
	// ChangeGuard is a brake on mass removals.
	// +optional
	// +kubebuilder:default={}
	ChangeGuard ChangeGuard `json:"changeGuard,omitzero"`
}

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=mfaconn,categories=mfa
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.spec.url`
// +kubebuilder:printcolumn:name="Service",type=string,JSONPath=`.status.serviceID`
// +kubebuilder:printcolumn:name="Accounts",type=integer,JSONPath=`.status.accounts.total`
// +kubebuilder:printcolumn:name="Managed",type=integer,JSONPath=`.status.accounts.managed`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Token Subject",type=string,JSONPath=`.status.tokenSubject`,priority=1
// +kubebuilder:printcolumn:name="Token Expiry",type=string,JSONPath=`.status.tokenExpiresAt`,priority=1
// +kubebuilder:selectablefield:JSONPath=`.spec.url`
// +kubebuilder:selectablefield:JSONPath=`.status.serviceID`

// MFAConnection is the way to one TrustBuilder MFA service.
type MFAConnection struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is where the service is and what users may ask for.
	Spec MFAConnectionSpec `json:"spec"`
	// Status is what the operator found.
	// +optional
	// +kubebuilder:default={observedGeneration:-1}
	Status MFAConnectionStatus `json:"status,omitzero"`
}

// +kubebuilder:object:root=true

// MFAConnectionList is a list of MFAConnections.
type MFAConnectionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []MFAConnection `json:"items"`
}
