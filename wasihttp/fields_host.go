package wasihttp

import (
	"errors"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

func fieldsOf(v component.Value) *fields { return v.Resource().(*fields) }

// headerResult is a result<_, header-error>, or what ends the guest.
func headerResult(err error) (component.Value, error) {
	var e headerError
	switch {
	case err == nil:
		return abi.OK(component.Value{}), nil
	case errors.As(err, &e):
		return abi.Err(abi.Enum(int(e))), nil
	}
	return component.Value{}, err
}

// fieldsNew is wasi:http/types.[constructor]fields.
func fieldsNew(c *component.Call, _ []component.Value) (component.Value, error) {
	return abi.Resource(&fields{guest: guestOf(c)}), nil
}

// fieldsFromList is wasi:http/types.[static]fields.from-list.
func fieldsFromList(c *component.Call, args []component.Value) (component.Value, error) {
	return fieldsOfList(guestOf(c), args[0].List())
}

func fieldsOfList(g *guest, entries []component.Value) (component.Value, error) {
	f := &fields{guest: g, list: make([]field, 0, min(len(entries), maxFieldsSize/fieldOverhead))}
	for _, e := range entries {
		if err := f.append(e.Field(0).String(), string(e.Field(1).Bytes())); err != nil {
			f.drop()
			return headerResult(err)
		}
	}
	return abi.OK(abi.Resource(f)), nil
}

// fieldsGet is wasi:http/types.[method]fields.get.
func fieldsGet(_ *component.Call, args []component.Value) (component.Value, error) {
	values := fieldsOf(args[0]).values(args[1].String())
	list := make([]component.Value, len(values))
	for i, v := range values {
		list[i] = abi.Bytes([]byte(v))
	}
	return abi.List(list...), nil
}

// fieldsHas is wasi:http/types.[method]fields.has.
func fieldsHas(_ *component.Call, args []component.Value) (component.Value, error) {
	return abi.Bool(fieldsOf(args[0]).has(args[1].String())), nil
}

// fieldsSet is wasi:http/types.[method]fields.set.
func fieldsSet(_ *component.Call, args []component.Value) (component.Value, error) {
	list := args[2].List()
	values := make([]string, len(list))
	for i, v := range list {
		values[i] = string(v.Bytes())
	}
	return headerResult(fieldsOf(args[0]).set(args[1].String(), values))
}

// fieldsDelete is wasi:http/types.[method]fields.delete.
func fieldsDelete(_ *component.Call, args []component.Value) (component.Value, error) {
	return headerResult(fieldsOf(args[0]).delete(args[1].String()))
}

// fieldsAppend is wasi:http/types.[method]fields.append.
func fieldsAppend(_ *component.Call, args []component.Value) (component.Value, error) {
	return headerResult(fieldsOf(args[0]).append(args[1].String(), string(args[2].Bytes())))
}

// fieldsEntries is wasi:http/types.[method]fields.entries.
func fieldsEntries(_ *component.Call, args []component.Value) (component.Value, error) {
	f := fieldsOf(args[0])
	list, parts := make([]component.Value, len(f.list)), make([]component.Value, 2*len(f.list))
	for i, e := range f.list {
		pair := parts[2*i : 2*i+2]
		pair[0], pair[1] = abi.String(e.name), abi.Bytes([]byte(e.value))
		list[i] = abi.Tuple(pair...)
	}
	return abi.List(list...), nil
}

// fieldsClone is wasi:http/types.[method]fields.clone.
func fieldsClone(c *component.Call, args []component.Value) (component.Value, error) {
	return fieldsValue(fieldsOf(args[0]).clone(), guestOf(c))
}

// fieldsValue gives a guest fields.
func fieldsValue(f *fields, g *guest) (component.Value, error) {
	f, err := f.heldBy(g)
	if err != nil {
		return component.Value{}, err
	}
	return abi.Resource(f), nil
}
