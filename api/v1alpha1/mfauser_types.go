package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Role of an account in the service, or of a member in a group.
// +kubebuilder:validation:Enum=User;Manager;Administrator
type Role string

// Roles known to the operator. The service also has custom roles; accounts that hold one are never touched.
const (
	RoleUser          Role = "User"
	RoleManager       Role = "Manager"
	RoleAdministrator Role = "Administrator"
)

// Access says whether an account may be used.
// +kubebuilder:validation:Enum=Allowed;Blocked
type Access string

// The two values of Access.
const (
	AccessAllowed Access = "Allowed"
	AccessBlocked Access = "Blocked"
)

// AdoptionPolicy says what to do when the login exists already and is not known to be ours.
// +kubebuilder:validation:Enum=Never;IfExists
type AdoptionPolicy string

// The values of AdoptionPolicy.
const (
	AdoptionNever    AdoptionPolicy = "Never"
	AdoptionIfExists AdoptionPolicy = "IfExists"
)

// DeletionPolicy says what becomes of the account when the MFAUser is deleted.
// +kubebuilder:validation:Enum=Block;Delete;Retain
type DeletionPolicy string

// The values of DeletionPolicy.
const (
	DeletionBlock  DeletionPolicy = "Block"
	DeletionDelete DeletionPolicy = "Delete"
	DeletionRetain DeletionPolicy = "Retain"
)

// ManagementPolicy says whether the operator may write the account.
// +kubebuilder:validation:Enum=Full;Observe
type ManagementPolicy string

// The values of ManagementPolicy.
const (
	ManagementFull    ManagementPolicy = "Full"
	ManagementObserve ManagementPolicy = "Observe"
)

// ConnectionReference names an MFAConnection.
type ConnectionReference struct {
	// Name of the MFAConnection.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// Namespace of the MFAConnection. Left out: the namespace of the MFAUser. The connection's allowedNamespaces decides
	// whether it may be used from there.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`
}

// GroupMembership puts an account into a group of the service.
type GroupMembership struct {
	// Name of a group that exists in the service. Groups are made in the vendor's console; the operator never creates one.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name"`
	// Role of the account in that group.
	Role Role `json:"role"`
}

// MFAUserSpec is what the account should be. A field that is left out is not managed: the operator never writes it, and
// dropping it from a manifest leaves the remote value as it is. An empty value ("" or []) clears the remote one.
// +kubebuilder:validation:XValidation:rule="!has(self.code) || self.code.delivery == 'Secret' || (has(self.email) && size(self.email) > 0)",message="code.delivery Email and SecretAndEmail need spec.email"
type MFAUserSpec struct {
	// ConnectionRef names the MFAConnection through which the account is reached. Immutable: an account can't move to another service.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="connectionRef is immutable: create another MFAUser instead"
	ConnectionRef ConnectionReference `json:"connectionRef"`

	// Login of the account, unique in the service without regard to case. Immutable.
	// No white space, control or invisible characters. At most 255 characters.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^\\\\s\\\\p{C}\\\\p{Z}]+$')",message="login must not contain white space, control or invisible characters"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="login is immutable: create another MFAUser instead"
	Login string `json:"login"`

	// FirstName of the person.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	FirstName *string `json:"firstName,omitempty"`
	// LastName of the person.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	LastName *string `json:"lastName,omitempty"`
	// Email address of the person. Needed for code.delivery Email and SecretAndEmail.
	// +optional
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:XValidation:rule="self == '' || self.matches('^[^@\\\\s]+@[^@\\\\s]+$')",message="email must look like name@example.com, or be empty to clear it"
	Email *string `json:"email,omitempty"`
	// Phone number of the person, best in the form +33612345678.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self == '' || self.matches('^[+]?[0-9][0-9 ()./-]*$')",message="phone must be a number such as +33612345678, or be empty to clear it"
	Phone *string `json:"phone,omitempty"`
	// Language in which the service writes to the person.
	// +optional
	// +kubebuilder:validation:Enum=en;fr
	Language *string `json:"language,omitempty"`
	// Role of the account in the service. The connection's policy.roles must list it. Left out: User on creation, and not managed afterwards.
	// +optional
	Role *Role `json:"role,omitempty"`
	// Access blocks the account or lifts a block. Left out: not managed, except that a block set by this operator's own
	// removal is lifted when the manifest comes back.
	// +optional
	Access *Access `json:"access,omitempty"`
	// Groups of the account: exactly these. Left out: memberships are not managed. []: member of none.
	// The connection's policy.groups must match each name, and policy.roles each role.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, b.name == a.name))",message="a group may be listed once only"
	Groups []GroupMembership `json:"groups,omitzero"`

	// AdoptionPolicy says what to do when an account with this login exists already: Never reports AccountConflict,
	// IfExists takes it over where the connection's policy.adoption allows it. Nothing is issued on adoption.
	// +optional
	// +kubebuilder:default=Never
	AdoptionPolicy AdoptionPolicy `json:"adoptionPolicy,omitempty"`
	// DeletionPolicy says what becomes of the account when this MFAUser is deleted: Block keeps it, blocked; Delete removes
	// it with all its devices; Retain leaves it as it is.
	// +optional
	// +kubebuilder:default=Block
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
	// ManagementPolicy Observe never writes the account: differences are listed in status.pendingChanges.
	// +optional
	// +kubebuilder:default=Full
	ManagementPolicy ManagementPolicy `json:"managementPolicy,omitempty"`
	// Suspend stops all work on this MFAUser: no remote call, no code. Deleting a suspended MFAUser leaves its account as it is.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
	// Code is the one code that the person should hold now.
	// +optional
	// +kubebuilder:default={delivery:Secret,renewal:Never,activation:Later}
	Code CodeSpec `json:"code,omitzero"`
}

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=mfau,categories=mfa
// +kubebuilder:printcolumn:name="Login",type=string,JSONPath=`.spec.login`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Code",type=string,JSONPath=`.status.code.phase`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.status.accountID`,priority=1
// +kubebuilder:printcolumn:name="Connection",type=string,JSONPath=`.spec.connectionRef.name`,priority=1
// +kubebuilder:printcolumn:name="Code Expiry",type=string,JSONPath=`.status.code.expiresAt`,priority=1
// +kubebuilder:selectablefield:JSONPath=`.spec.login`
// +kubebuilder:selectablefield:JSONPath=`.spec.connectionRef.name`
// +kubebuilder:selectablefield:JSONPath=`.status.accountID`
// +kubebuilder:selectablefield:JSONPath=`.status.state`
// +kubebuilder:validation:XValidation:rule="(has(self.spec.code.secretName) ? self.spec.code.secretName : self.metadata.name + '-mfa') == (has(oldSelf.spec.code.secretName) ? oldSelf.spec.code.secretName : oldSelf.metadata.name + '-mfa')",message="code.secretName is immutable; left out it means <name>-mfa"
// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() || has(self.spec.code.secretName) || size(self.metadata.name) <= 249",optionalOldSelf=true,message="set spec.code.secretName: <name>-mfa is longer than the 253 characters that the name of a Secret may have"

// MFAUser is the MFA account of one person in a TrustBuilder MFA service.
type MFAUser struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what the account should be.
	Spec MFAUserSpec `json:"spec"`
	// Status is what the operator found and did.
	// +optional
	// +kubebuilder:default={observedGeneration:-1}
	Status MFAUserStatus `json:"status,omitzero"`
}

// +kubebuilder:object:root=true

// MFAUserList is a list of MFAUsers.
type MFAUserList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []MFAUser `json:"items"`
}

// CodeSecretName is the name of the Secret that holds the user's code.
func (u *MFAUser) CodeSecretName() string {
	if u.Spec.Code.SecretName != "" {
		return u.Spec.Code.SecretName
	}
	return u.Name + DefaultSecretSuffix
}

// ConnectionKey names the connection that the user refers to.
func (u *MFAUser) ConnectionKey() types.NamespacedName {
	return types.NamespacedName{Namespace: u.ConnectionNamespace(), Name: u.Spec.ConnectionRef.Name}
}

// ConnectionNamespace is the namespace of the connection that the user refers to.
func (u *MFAUser) ConnectionNamespace() string {
	if u.Spec.ConnectionRef.Namespace != "" {
		return u.Spec.ConnectionRef.Namespace
	}
	return u.Namespace
}
