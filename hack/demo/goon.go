package main

import (
	"fmt"
	"path/filepath"
)

// howToGoOn says what a person can do while everything runs.
func (s *stage) howToGoOn() string {
	return fmt.Sprintf(`
Everything keeps running. To go on in another terminal:

  export KUBECONFIG=%[1]s
  export PATH=%[2]s:%[6]s:$PATH    # for its kubectl, and kubectl mfa
  kubectl mfa status -A
  kubectl get mfau -A -w

  kubectl -n team-a patch mfau bob --type=merge -p '{"spec":{"firstName":"Robert"}}'
  kubectl -n team-a patch mfau carol --type=merge -p '{"spec":{"access":"Allowed"}}'
  kubectl -n team-a delete mfau bob                         # deletionPolicy: Delete
  curl --cacert %[3]s %[4]s/_sim/    # what the simulator can play

  tail -f %[5]s

Ctrl-C stops everything and removes it.
`, s.cluster.AdminKubeconfig(), filepath.Dir(s.cluster.Kubectl()), s.path("simulator/ca.crt"), s.simulator.url, s.manage.log, s.bin)
}
