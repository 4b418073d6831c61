// Package job is what the program that boots a virtual machine tells the first
// process in it, and what that tells when it is done.
package job

// Places in the machine.
const (
	Mount = "/mayfly"  // the disk with what is to be done
	File  = "job.json" // on that disk: the job
)

// ExitPrefix begins the last line that is printed; the exit code follows.
const ExitPrefix = "exit code of the tests: "

// Job is a command to run in the machine.
type Job struct {
	Args []string
	Dir  string
	Env  []string
}
