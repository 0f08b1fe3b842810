package v1alpha1

// Names that the operator puts on, or reads from, other objects.
const (
	// Finalizer is set on an MFAUser just before its first remote write, and on nothing that never had one.
	Finalizer = Group + "/account"
	// FinalizerInUse is set on an MFAConnection and on its token Secret while MFAUsers hold accounts through them: without
	// them nobody could remove those accounts.
	FinalizerInUse = Group + "/in-use"

	// SecretType is the type of a Secret that holds a code. The type of a Secret is immutable, so a Secret of another
	// type can never have been made by this operator.
	SecretType = Group + "/code"

	// LabelCode marks the Secrets made by this operator. The operator's cache sees only Secrets with this label or LabelToken.
	LabelCode = Group + "/code"
	// LabelToken must be "true" on a Secret before the operator sends its content to a service. Without it, whoever may
	// create an MFAConnection could send any Secret of the namespace to a host of his own.
	LabelToken = Group + "/token"
	// LabelTrue is the value of LabelCode and LabelToken.
	LabelTrue = "true"

	// DefaultSecretSuffix is what the name of a code Secret adds to its MFAUser's, unless spec.code.secretName says otherwise.
	DefaultSecretSuffix = "-mfa"

	// AnnotationRequest on a code Secret names the request it answers: create, generation/<n>, annotation/<token> or renewal/<g>/<n>.
	AnnotationRequest = Group + "/request"
	// AnnotationReconcileRequestedAt asks for one pass against fresh remote state. Any new value acts once.
	AnnotationReconcileRequestedAt = Group + "/reconcile-requested-at"
	// AnnotationIssueCode asks for one code by hand: <Purpose>/<token>. Each token acts once.
	AnnotationIssueCode = Group + "/issue-code"
	// AnnotationOrphan with the value "true" lets an MFAUser (or all users of an MFAConnection) go without a remote call.
	// "false" is as good as none; any other value holds the removal until it is corrected.
	AnnotationOrphan = Group + "/orphan"
	// AnnotationApproveRemovals lets a number of held removals go: <n>/<token>. Each token acts once.
	AnnotationApproveRemovals = Group + "/approve-removals"
)

// Keys of a code Secret. KeyCode and KeyLink are there only while the code is live.
const (
	KeyCode      = "code"
	KeyLink      = "link"
	KeyLogin     = "login"
	KeyAccountID = "accountId"
	KeyState     = "state"
	KeyPurpose   = "purpose"
	KeyCodeType  = "codeType"
	KeyIssuedAt  = "issuedAt"
	KeyExpiresAt = "expiresAt"
)

// DefaultTokenKey is the key of the token Secret when tokenSecretRef.key is left out.
const DefaultTokenKey = "token"
