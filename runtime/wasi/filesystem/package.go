package filesystem

import (
	_ "embed"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

//go:embed filesystem.wit
var declarations string

// State is what an instance's state must have for its component to import wasi:filesystem.
type State interface {
	// Filesystem returns the instance's files; nil: there are none.
	Filesystem() *Guest
}

// Package is wasi:filesystem. The state of instances must be a [State].
func Package() component.Package {
	return component.Package{
		WIT: declarations,
		Interfaces: map[string]component.Interface{
			"types": {
				Funcs: map[string]component.HostFunc{
					"[method]descriptor.read-via-stream":                  method(readViaStream),
					"[method]descriptor.write-via-stream":                 method(writeViaStream),
					"[method]descriptor.append-via-stream":                method(appendViaStream),
					"[method]descriptor.advise":                           method(advise),
					"[method]descriptor.sync-data":                        waiting(method(syncData)),
					"[method]descriptor.get-flags":                        method(getFlags),
					"[method]descriptor.get-type":                         method(getType),
					"[method]descriptor.set-size":                         method(setSize),
					"[method]descriptor.set-times":                        method(setTimes),
					"[method]descriptor.read":                             method(read),
					"[method]descriptor.write":                            method(write),
					"[method]descriptor.read-directory":                   method(readDirectory),
					"[method]descriptor.sync":                             waiting(method(sync)),
					"[method]descriptor.create-directory-at":              method(createDirectoryAt),
					"[method]descriptor.stat":                             method(stat),
					"[method]descriptor.stat-at":                          method(statAt),
					"[method]descriptor.set-times-at":                     method(setTimesAt),
					"[method]descriptor.link-at":                          method(linkAt),
					"[method]descriptor.open-at":                          method(openAt),
					"[method]descriptor.readlink-at":                      method(readlinkAt),
					"[method]descriptor.remove-directory-at":              method(removeDirectoryAt),
					"[method]descriptor.rename-at":                        method(renameAt),
					"[method]descriptor.symlink-at":                       method(symlinkAt),
					"[method]descriptor.unlink-file-at":                   method(unlinkFileAt),
					"[method]descriptor.is-same-object":                   isSameObject,
					"[method]descriptor.metadata-hash":                    method(metadataHash),
					"[method]descriptor.metadata-hash-at":                 method(metadataHashAt),
					"[method]directory-entry-stream.read-directory-entry": readDirectoryEntry,
					"filesystem-error-code":                               filesystemErrorCode,
				},
				Drop: map[string]func(any){
					"descriptor":             func(r any) { r.(*descriptor).handle.release() },
					"directory-entry-stream": func(r any) { r.(*entries).handle.release() },
				},
			},
			"preopens": {
				Funcs: map[string]component.HostFunc{"get-directories": getDirectories},
			},
		},
	}
}

// method makes a function of the host of a method of descriptor that returns a result with an error-code.
func method(f func(d *descriptor, args []component.Value) (component.Value, error)) component.HostFunc {
	return func(_ *component.Call, args []component.Value) (component.Value, error) {
		return result(f(descriptorOf(args[0]), args[1:]))
	}
}

// waiting lets other guests compute while f waits, for a disk.
func waiting(f component.HostFunc) component.HostFunc {
	return func(c *component.Call, args []component.Value) (component.Value, error) {
		c.Block()
		return f(c, args)
	}
}

// result is a result<T, error-code>.
func result(v component.Value, err error) (component.Value, error) {
	if err != nil {
		return abi.Err(abi.Enum(codeOf(err))), nil
	}
	return abi.OK(v), nil
}

// getDirectories is wasi:filesystem/preopens.get-directories.
func getDirectories(c *component.Call, _ []component.Value) (component.Value, error) {
	return c.State().(State).Filesystem().directories(), nil
}

// filesystemErrorCode is wasi:filesystem/types.filesystem-error-code.
func filesystemErrorCode(_ *component.Call, args []component.Value) (component.Value, error) {
	return codeOfStream(wasiio.ErrorOf(args[0])), nil
}
