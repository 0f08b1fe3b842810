package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CodePurpose is what a code is for.
// +kubebuilder:validation:Enum=Enrollment;AddDevice;Unlock;Restore
type CodePurpose string

// The purposes of a code.
const (
	// PurposeEnrollment enrols the first device of a new or expired account.
	PurposeEnrollment CodePurpose = "Enrollment"
	// PurposeAddDevice enrols one more device.
	PurposeAddDevice CodePurpose = "AddDevice"
	// PurposeUnlock lets a person who is PIN-blocked set a new PIN.
	PurposeUnlock CodePurpose = "Unlock"
	// PurposeRestore enrols a device and deletes all others.
	PurposeRestore CodePurpose = "Restore"
)

// CodeType is the form and default life of a code.
// +kubebuilder:validation:Enum=Short;Inactive;Link
type CodeType string

// The types of a code.
const (
	// CodeShort is usable at once, for 15 minutes by default.
	CodeShort CodeType = "Short"
	// CodeInactive is switched on later by activation: Now; it lives 21 days by default, and 15 minutes once switched on.
	CodeInactive CodeType = "Inactive"
	// CodeLink is an activation link; it lives 21 days by default and can be mailed.
	CodeLink CodeType = "Link"
)

// CodeDelivery is how a code reaches the person.
// +kubebuilder:validation:Enum=Secret;Email;SecretAndEmail
type CodeDelivery string

// The ways of delivery.
const (
	DeliverySecret         CodeDelivery = "Secret"
	DeliveryEmail          CodeDelivery = "Email"
	DeliverySecretAndEmail CodeDelivery = "SecretAndEmail"
)

// CodeRenewal says whether a code that ran out unused is replaced.
// +kubebuilder:validation:Enum=Never;WhenExpired
type CodeRenewal string

// The values of CodeRenewal.
const (
	RenewalNever       CodeRenewal = "Never"
	RenewalWhenExpired CodeRenewal = "WhenExpired"
)

// CodeActivation switches an inactive code on.
// +kubebuilder:validation:Enum=Later;Now
type CodeActivation string

// The values of CodeActivation.
const (
	ActivationLater CodeActivation = "Later"
	ActivationNow   CodeActivation = "Now"
)

// The default of the field with this type states what the rules look at: the API server checks a default before it fills in
// those inside.

// CodeSpec is the one code that the person should hold now.
// +kubebuilder:validation:XValidation:rule="self.delivery == 'Secret' || self.type == 'Link'",message="delivery Email and SecretAndEmail need type Link"
// +kubebuilder:validation:XValidation:rule="self.renewal == 'Never' || (self.purpose == 'Enrollment' && self.type in ['Link', 'Inactive'])",message="renewal WhenExpired needs purpose Enrollment and type Link or Inactive"
// +kubebuilder:validation:XValidation:rule="self.activation == 'Later' || self.type == 'Inactive'",message="activation Now needs type Inactive"
type CodeSpec struct {
	// Generation asks for a new code when it is raised. The same or a lower number does nothing, so that reverting a commit
	// can't issue anything. 0 on a new MFAUser hands nothing out.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	Generation *int64 `json:"generation,omitempty"`
	// Purpose is what the code is for. Enrollment: the first device of a new or expired account. AddDevice: one more device.
	// Unlock: a new PIN for a person who is PIN-blocked. Restore: a new device, and its use takes all other devices away. A new
	// account gets an enrolment code whatever this says.
	// +optional
	// +kubebuilder:default=Enrollment
	Purpose CodePurpose `json:"purpose,omitempty"`
	// Type is the form of the code. Short: usable at once, for 15 minutes. Inactive: lives 21 days, and 15 minutes once
	// activation: Now has switched it on. Link: an activation link that lives 21 days and can be mailed. A tenant may have other
	// lifetimes.
	// +optional
	// +kubebuilder:default=Link
	Type CodeType `json:"type,omitempty"`
	// Delivery says how the code reaches the person. Email and SecretAndEmail need type Link and spec.email.
	// +optional
	// +kubebuilder:default=Secret
	Delivery CodeDelivery `json:"delivery,omitempty"`
	// SecretName is the name of the Secret that holds the code, in the namespace of the MFAUser. Default: <name>-mfa;
	// needed where the MFAUser's name has more than 249 characters. Immutable.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	SecretName string `json:"secretName,omitempty"`
	// Renewal WhenExpired replaces an enrolment code of type Link or Inactive that ran out unused, at most 5 times.
	// +optional
	// +kubebuilder:default=Never
	Renewal CodeRenewal `json:"renewal,omitempty"`
	// Activation of a code of type Inactive: change it to Now to switch the code on. As long as it is Now, the next code is
	// switched on as soon as it is issued: set it back to Later first.
	// +optional
	// +kubebuilder:default=Later
	Activation CodeActivation `json:"activation,omitempty"`
}

// CodePhase is where a code is in its life.
type CodePhase string

// The phases of a code. Only Active and Inactive codes can be in a Secret.
const (
	// CodeIssuing: the code has been asked for and is not stored yet.
	CodeIssuing CodePhase = "Issuing"
	// CodeActive: usable now, as far as can be known.
	CodeActive CodePhase = "Active"
	// CodeInactivePhase: stored, to be switched on by activation: Now.
	CodeInactivePhase CodePhase = "Inactive"
	// CodeUsed: the person used it.
	CodeUsed CodePhase = "Used"
	// CodeExpired: it ran out.
	CodeExpired CodePhase = "Expired"
	// CodeSuperseded: a newer code cancelled it.
	CodeSuperseded CodePhase = "Superseded"
	// CodeLost: its Secret was deleted. Raise the generation for another.
	CodeLost CodePhase = "Lost"
	// CodeRefused: the newest request does not fit the account; status.codeRefusal says why. A live code stays what it is.
	CodeRefused CodePhase = "Refused"
)

// CodeStatus is the newest code that was issued, or is being issued, for the account. It never holds the code itself.
type CodeStatus struct {
	// Request that the code answers: create, generation/<n>, annotation/<token> or renewal/<g>/<n>.
	// +optional
	Request string `json:"request,omitempty"`
	// Purpose of the code.
	// +optional
	Purpose CodePurpose `json:"purpose,omitempty"`
	// Type of the code.
	// +optional
	Type CodeType `json:"type,omitempty"`
	// Delivery of the code, as stated when it was asked for.
	// +optional
	Delivery CodeDelivery `json:"delivery,omitempty"`
	// Phase of the code.
	// +optional
	Phase CodePhase `json:"phase,omitempty"`
	// IssuedAt is when the code was issued.
	// +optional
	IssuedAt *metav1.Time `json:"issuedAt,omitempty"`
	// ExpiresAt is when the code runs out: as the service said, else the issue time and the connection's codeLifetimes.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`
	// ActivatedAt is when a code of type Inactive was switched on.
	// +optional
	ActivatedAt *metav1.Time `json:"activatedAt,omitempty"`
	// SecretRef names the Secret that holds the code while it lives and its record afterwards, in the namespace of the MFAUser.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`
	// EmailedAt is when the service was last asked to mail the link.
	// +optional
	EmailedAt *metav1.Time `json:"emailedAt,omitempty"`
	// EmailTries is how often the service was asked to mail the link without saying whether it did. At 5 it is not asked again.
	// +optional
	EmailTries int32 `json:"emailTries,omitempty"`
	// DeviceIDs are the devices that the account had when an AddDevice or Restore code was asked for: another one among
	// them later shows that the code was used. Left out when they can't be read or are more than 100; then its use is not seen.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	DeviceIDs []string `json:"deviceIDs,omitzero"`
	// Pending is a request whose answer is not known yet. It is written before the call and cleared with the answer; the
	// fields above still speak of the code before it.
	// +optional
	Pending *CodeIntent `json:"pending,omitempty"`
}

// SecretReference names a Secret in the same namespace.
type SecretReference struct {
	// Name of the Secret.
	Name string `json:"name"`
}

// CodeIntent is a code request about to be sent.
type CodeIntent struct {
	// Request that is being answered.
	Request string `json:"request"`
	// Purpose asked for.
	Purpose CodePurpose `json:"purpose"`
	// Type asked for.
	Type CodeType `json:"type"`
	// Delivery asked for.
	// +optional
	Delivery CodeDelivery `json:"delivery,omitempty"`
	// DeviceIDs of the account before the call, for AddDevice and Restore; left out when they are not known.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	DeviceIDs []string `json:"deviceIDs,omitzero"`
	// At is when the call was about to be made.
	At metav1.Time `json:"at"`
	// Sent is true from just before the call until its outcome is known: the service may then have issued a code, and
	// cancelled the one before.
	// +optional
	Sent bool `json:"sent,omitempty"`
}

// CodeRefusal is a code request that was not sent, or that the service refused. It is dealt with: asking again needs a
// higher spec.code.generation or another token.
type CodeRefusal struct {
	// Request that was refused: generation/<n> or annotation/<token>.
	Request string `json:"request"`
	// Message says why, and what to do.
	Message string `json:"message"`
}

// WantedGeneration is spec.code.generation, or its default where the API server has not filled it in.
func (c *CodeSpec) WantedGeneration() int64 {
	if c.Generation == nil {
		return 1
	}
	return *c.Generation
}
