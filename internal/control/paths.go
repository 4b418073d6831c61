package control

// Where the shim mounts what is mayfly's into a sidecar's container, read-only. Guests do not see it.
const (
	Dir        = "/.mayfly"
	HolderPath = Dir + "/init"
	EnginePath = Dir + "/engine"
	SocketPath = Dir + "/control.sock"
)
