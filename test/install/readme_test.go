package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

const (
	operatorNamespace = "trustbuilder-mfa-system"
	connectionSpec    = "  tokenSecretRef: {name: trustbuilder-api-token}\n"
)

// TestReadme is a new user, who pastes the README's commands one block after the other, from a checkout, at a terminal: the
// operator is installed, gets a connection and a first person, takes fifty people over who have accounts already, replaces a
// lost phone, and is taken away again. Only what depends on the place is put in: the address of the service and its certificate.
func TestReadme(t *testing.T) {
	s := newSite(t)
	service := newService(t)
	had := seedPeople(s.g, service.sim)
	u := newReader(s, service)

	// The chart waits for the operator's Pod.
	installing := u.start("Install on a cluster", "helm install")
	operator := s.startPod(operatorNamespace)
	s.g.Expect(installing.end()).To(ContainSubstring("STATUS: deployed"))

	u.follow("Install on a cluster", "create secret generic")
	u.follow("Install on a cluster", "kind: MFAConnection",
		connectionSpec, connectionSpec+fmt.Sprintf("  url: %s\n  caBundle: %q\n  resyncInterval: 2s\n", service.url, service.ca))
	s.g.Expect(service.sim.UseCode(u.link("default", "alice-mfa"))).To(Succeed())
	lost := service.sim.Devices(loginOf("alice"))
	s.g.Expect(lost).To(HaveLen(1))

	doctor := u.follow("From the command line", "go build")
	s.g.Expect(doctor).NotTo(MatchRegexp(`(?m)^(FAIL|WARN)`))
	s.g.Expect(doctor).To(MatchRegexp(`(?m)^default +alice +alice@example.com +(PendingActivation|Activated) `))

	// Fifty people are taken over, and nobody notices.
	service.sim.ResetCalls()
	said := u.follow("People who have accounts already", "kubectl mfa export")
	s.g.Expect(said).To(ContainSubstring("left out 2 accounts with a role"), "the manager, and the administrator whose token it is")
	files, err := filepath.Glob(filepath.Join(u.checkout, "users", "*.yaml"))
	s.g.Expect(err).NotTo(HaveOccurred())
	s.g.Expect(files).To(HaveLen(50))
	var people v1alpha1.MFAUserList
	s.g.Expect(s.client.List(s.ctx, &people, client.InNamespace("team-a"))).To(Succeed())
	s.g.Expect(people.Items).To(HaveLen(50))
	for _, person := range people.Items {
		s.g.Expect(person.Status.AccountID).To(Equal(fmt.Sprint(had[person.Spec.Login].ID)), person.Spec.Login)
		s.g.Expect(person.Status.PendingChanges).To(BeEmpty(), person.Spec.Login)
	}
	s.g.Expect(s.kubectl("get", "secrets", "-n", "team-a", "-o", "name")).To(BeEmpty(), "nobody gets a code")
	expectReadOnly(s.g, service.sim)

	// Git decides now, and has another name for one of them.
	s.g.Expect(replaceInFile(filepath.Join(u.checkout, "users", "person-07--example.com.yaml"), "lastName: Person07", "lastName: Durand")).To(Succeed())
	plan := u.follow("People who have accounts already", "kubectl mfa plan", "kubectl mfa plan -f users/\n", "kubectl mfa plan -f users/ || test $? = 1\n")
	s.g.Expect(plan).To(ContainSubstring(`lastName: "Person07" → "Durand"`))
	s.g.Expect(plan).To(ContainSubstring("0 to create, 1 to update, 0 to block, 0 to delete, 0 codes, 49 unchanged, 0 refused"))
	s.g.Eventually(func() string { return service.account("person-07").LastName }).Should(Equal("Durand"))
	s.g.Expect(service.sim.Calls()).To(HaveKeyWithValue("UpdateAccount", 1))

	// Alice has lost her phone.
	s.kubectl("wait", "mfauser/alice", "--for=condition=Enrolled", "--timeout=30s")
	shown := u.follow("A lost phone", "kubectl mfa issue")
	link := regexp.MustCompile(`link: +(\S+)`).FindStringSubmatch(shown)
	s.g.Expect(link).To(HaveLen(2), shown)
	s.g.Expect(service.sim.UseCode(link[1])).To(Succeed())
	s.g.Expect(service.sim.Devices(loginOf("alice"))).To(And(HaveLen(1), Not(Equal(lost))))
	s.g.Eventually(func() string { return u.link("default", "alice-mfa") }).Should(BeEmpty(), "a code that is used is of no use any more")

	// The operator goes, and everybody stays as they are.
	before := service.sim.Accounts()
	service.sim.ResetCalls()
	s.g.Eventually(service.sim.Calls).ShouldNot(BeEmpty(), "it lists to the last")
	leaving := u.start("Uninstall", "helm uninstall")
	s.endPod(operatorNamespace, operator)
	leaving.end()
	expectReadOnly(s.g, service.sim)
	s.g.Expect(service.sim.Accounts()).To(Equal(before))
	for _, line := range strings.Split(operator.log(), "\n") {
		if strings.Contains(line, `"level":"error"`) {
			s.g.Expect(line).To(ContainSubstring(`"logger":"leaderelection"`), "Helm takes the rights while the Pod still ends, which may miss its lease")
		}
	}
	s.g.Expect(s.kubectl("get", "crd", "-o", "name")).NotTo(ContainSubstring("trustbuilder"))
	s.g.Expect(s.kubectl("get", "all,clusterrole,clusterrolebinding", "-A", "-l", "app.kubernetes.io/instance=mfa")).To(ContainSubstring("No resources found"))
	s.g.Expect(s.kubectl("get", "secret", "-n", "mfa-system", "trustbuilder-api-token", "-o", "jsonpath={.metadata.finalizers}")).To(BeEmpty())
}

// seedPeople are fifty people in every state, and a manager, by login.
func seedPeople(g *WithT, sim *mfasim.Service) map[string]mfasim.Account {
	states := []string{mfasim.StatusActivated, mfasim.StatusPending, mfasim.StatusPINBlocked, mfasim.StatusBlocked}
	had := map[string]mfasim.Account{}
	for n := range 50 {
		name := fmt.Sprintf("person-%02d", n)
		account := sim.Seed(mfasim.Account{
			Login: loginOf(name), FirstName: "Some", LastName: fmt.Sprintf("Person%02d", n), Email: loginOf(name),
			Status: states[n%len(states)], Blocked: states[n%len(states)] == mfasim.StatusBlocked,
		})
		had[account.Login] = account
	}
	manager := sim.Seed(mfasim.Account{Login: loginOf("manager"), Role: mfasim.RoleManager, Status: mfasim.StatusActivated})
	had[manager.Login] = manager
	g.Expect(had).To(HaveLen(51))
	return had
}

// expectReadOnly: nothing was changed in the service since the last reset.
func expectReadOnly(g *WithT, sim *mfasim.Service) {
	calls := sim.Calls()
	g.Expect(calls).NotTo(BeEmpty())
	for operation := range calls {
		g.Expect(operation).To(Or(HavePrefix("List"), HavePrefix("Get")))
	}
}

// startPod does what a node does: it runs the Pod that the Deployment asks for, with its arguments and as its ServiceAccount,
// and says that it is ready.
func (s *site) startPod(namespace string) *operator {
	s.t.Helper()
	var pods corev1.PodList
	s.g.Eventually(func(g Gomega) {
		g.Expect(s.client.List(s.ctx, &pods, client.InNamespace(namespace))).To(Succeed())
		g.Expect(pods.Items).To(HaveLen(1))
	}).Should(Succeed())
	pod := &pods.Items[0]
	operator := s.startOperator(namespace, pod.Spec.ServiceAccountName, append(pod.Spec.Containers[0].Args, "--metrics-bind-address=0")...)
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
		Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now(),
	})
	s.g.Expect(s.client.Status().Update(s.ctx, pod)).To(Succeed())
	return operator
}

// endPod does what a node does once nobody wants the Pod any more.
func (s *site) endPod(namespace string, operator *operator) {
	s.t.Helper()
	s.g.Eventually(func(g Gomega) {
		var pods corev1.PodList
		g.Expect(s.client.List(s.ctx, &pods, client.InNamespace(namespace))).To(Succeed())
		g.Expect(pods.Items).To(BeEmpty())
	}).Should(Succeed())
	operator.stop()
}

// reader is somebody with a checkout, the tools and a terminal.
type reader struct {
	s           *site
	checkout    string
	environment []string
	readme      string
}

func newReader(s *site, service *service) *reader {
	s.t.Helper()
	u := &reader{s: s, checkout: filepath.Join(s.dir, "checkout")}
	entries, err := os.ReadDir(root)
	s.g.Expect(err).NotTo(HaveOccurred())
	for _, entry := range entries {
		from, to := filepath.Join(root, entry.Name()), filepath.Join(u.checkout, entry.Name())
		switch {
		case entry.Name() == ".git", entry.Name() == "bin", entry.Name() == "dist":
		case entry.IsDir():
			s.g.Expect(os.CopyFS(to, os.DirFS(from))).To(Succeed())
		default:
			text, err := os.ReadFile(from)
			s.g.Expect(err).NotTo(HaveOccurred())
			s.g.Expect(os.WriteFile(to, text, 0o600)).To(Succeed())
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	s.g.Expect(err).NotTo(HaveOccurred())
	u.readme = string(text)

	tool, err := helmTool()
	s.g.Expect(err).NotTo(HaveOccurred())
	home := s.t.TempDir()
	caches, err := exec.CommandContext(s.ctx, "go", "env", "GOCACHE", "GOMODCACHE", "GOPATH").Output()
	s.g.Expect(err).NotTo(HaveOccurred())
	kept := strings.Fields(string(caches))
	u.environment = append(os.Environ(), "HOME="+home, "GOCACHE="+kept[0], "GOMODCACHE="+kept[1], "GOPATH="+kept[2],
		"PATH="+strings.Join([]string{filepath.Join(home, "bin"), filepath.Dir(s.cluster.Kubectl()), filepath.Dir(tool), os.Getenv("PATH")}, ":"),
		"KUBECONFIG="+s.cluster.AdminKubeconfig(), "TOKEN="+service.sim.Token(), "TERM=dumb")
	return u
}

// nextHeading is no comment in a block of commands: those are lower-case or further in.
var nextHeading = regexp.MustCompile(`(?m)^#+ [A-Z]`)

// block is the one block of commands under a heading that has some words in it.
func (u *reader) block(heading, words string) string {
	u.s.t.Helper()
	_, section, found := strings.Cut(u.readme, "# "+heading+"\n")
	u.s.g.Expect(found).To(BeTrue(), "the README has the heading %s", heading)
	section = nextHeading.Split(section, 2)[0]
	var fitting []string
	for _, part := range strings.Split(section, "```sh\n")[1:] {
		commands, _, _ := strings.Cut(part, "```")
		if strings.Contains(commands, words) {
			fitting = append(fitting, commands)
		}
	}
	u.s.g.Expect(fitting).To(HaveLen(1), "blocks with %q under %s", words, heading)
	return fitting[0]
}

// follow runs a block as it is written, but for what is replaced in it, and returns what the terminal showed.
func (u *reader) follow(heading, words string, replaced ...string) string {
	u.s.t.Helper()
	return u.start(heading, words, replaced...).end()
}

// pasted are commands that run.
type pasted struct {
	u      *reader
	cmd    *exec.Cmd
	shown  strings.Builder // to be read once copied has said something
	copied chan error
}

func (u *reader) start(heading, words string, replaced ...string) *pasted {
	u.s.t.Helper()
	commands := u.block(heading, words)
	for n := 0; n < len(replaced); n += 2 {
		u.s.g.Expect(strings.Count(commands, replaced[n])).To(Equal(1), "%q in\n%s", replaced[n], commands)
	}
	commands = strings.NewReplacer(replaced...).Replace(commands)
	ctx, cancel := context.WithTimeout(u.s.ctx, 5*time.Minute)
	u.s.t.Cleanup(cancel)
	p := &pasted{u: u, cmd: exec.CommandContext(ctx, "bash", "-euc", commands), copied: make(chan error, 1)}
	p.cmd.Dir, p.cmd.Env = u.checkout, u.environment
	terminal, err := pty.StartWithSize(p.cmd, &pty.Winsize{Rows: 50, Cols: 200})
	u.s.g.Expect(err).NotTo(HaveOccurred())
	go func() {
		_, err := io.Copy(&p.shown, terminal)
		if errors.Is(err, syscall.EIO) { // how Linux says that nobody has the other end of a terminal any more
			err = nil
		}
		p.copied <- errors.Join(err, terminal.Close())
	}()
	return p
}

// end waits for the commands, which have to go well.
func (p *pasted) end() string {
	p.u.s.t.Helper()
	copied, err := <-p.copied, p.cmd.Wait()
	shown := strings.ReplaceAll(p.shown.String(), "\r\n", "\n")
	p.u.s.g.Expect(err).NotTo(HaveOccurred(), "%s\n%s", p.cmd.Args[2], shown)
	p.u.s.g.Expect(copied).NotTo(HaveOccurred())
	return shown
}

// link is that of a code's Secret; empty once it is gone from there.
func (u *reader) link(namespace, secret string) string {
	u.s.t.Helper()
	var found corev1.Secret
	u.s.g.Expect(u.s.client.Get(u.s.ctx, client.ObjectKey{Namespace: namespace, Name: secret}, &found)).To(Succeed())
	return string(found.Data[v1alpha1.KeyLink])
}

func replaceInFile(path, old, replacement string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), old) {
		return fmt.Errorf("%s does not have %q:\n%s", path, old, text)
	}
	return os.WriteFile(path, []byte(strings.ReplaceAll(string(text), old, replacement)), 0o600)
}
