// Command bench measures the operator: the real manager as a process of its own, under the ServiceAccount and RBAC rules of config/, on a
// real API server, against the simulated MFA service without a rate limit in the way. It prints a table and writes JSON.
//
// Remote calls are counted by the simulator and writes by the API server's audit log, so the operator is not asked about itself.
// Everything shares one machine: seconds say how the parts compare, calls and writes say what the operator costs anywhere.
package main
