// Command mfasim runs the TrustBuilder MFA simulator over TLS, with a certificate of its own making, for demos and for trying the operator by hand.
// It prints a token: nothing it holds is real, and it is the only program of this project that may.
package main
