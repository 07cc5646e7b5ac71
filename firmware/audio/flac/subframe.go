package flac

import (
	"fmt"
	mathbits "math/bits"
)

// subframe decodes a channel of a frame: RFC 9639 §9.2.
func (f *frame) subframe(out []int32, depth int) error {
	if f.take(1) != 0 || depth > 32 {
		return fmt.Errorf("%w: subframe of %d bits", ErrBroken, depth)
	}
	kind := int(f.take(6))
	wasted := 0
	if f.take(1) == 1 {
		if wasted = f.unary() + 1; wasted <= 0 || wasted >= depth {
			return fmt.Errorf("%w: wasted bits", ErrBroken)
		}
		depth -= wasted
	}
	var err error
	switch {
	case kind == 0:
		v := f.signed(depth)
		for i := range out {
			out[i] = v
		}
	case kind == 1:
		for i := range out {
			out[i] = f.signed(depth)
		}
	case kind >= 8 && kind <= 12:
		err = f.fixed(out, depth, kind-8)
	case kind >= 32:
		err = f.linear(out, depth, kind-31)
	default:
		err = fmt.Errorf("%w: subframe of kind %d", ErrBroken, kind)
	}
	if wasted > 0 {
		for i := range out {
			out[i] <<= wasted
		}
	}
	return err
}

// fixedCoefs are the predictors of §9.2.5, the latest sample's first.
var fixedCoefs = [5][]int32{{}, {1}, {2, -1}, {3, -3, 1}, {4, -6, 4, -1}}

func (f *frame) fixed(out []int32, depth, order int) error {
	if err := f.warmUp(out, depth, order); err != nil {
		return err
	}
	if err := f.residual(out, order); err != nil {
		return err
	}
	predict(out, fixedCoefs[order], 0, depth+4)
	return nil
}

func (f *frame) linear(out []int32, depth, order int) error {
	if err := f.warmUp(out, depth, order); err != nil {
		return err
	}
	precision := int(f.take(4)) + 1
	shift := f.signed(5)
	if precision == 16 || shift < 0 {
		return fmt.Errorf("%w: predictor", ErrBroken)
	}
	coefs := make([]int32, order)
	for i := range coefs {
		coefs[i] = f.signed(precision)
	}
	if err := f.residual(out, order); err != nil {
		return err
	}
	predict(out, coefs, int(shift), depth+precision+mathbits.Len(uint(order)))
	return nil
}

// warmUp reads the samples before the first that is predicted.
func (f *frame) warmUp(out []int32, depth, order int) error {
	if order > len(out) {
		return fmt.Errorf("%w: predictor longer than its block", ErrBroken)
	}
	for i := range order {
		out[i] = f.signed(depth)
	}
	return nil
}

// residual is §9.2.7: partitions, each with a Rice parameter of its own.
func (f *frame) residual(out []int32, order int) error {
	method := f.take(2)
	partitions := 1 << f.take(4)
	if method > 1 || len(out)%partitions != 0 || len(out)/partitions < order {
		return fmt.Errorf("%w: residual", ErrBroken)
	}
	width := 4 + int(method)
	size := len(out) / partitions
	for p := range partitions {
		part := out[max(p*size, order) : (p+1)*size]
		k := int(f.take(width))
		if k < 1<<width-1 {
			if !f.rice(part, k) {
				return fmt.Errorf("%w: residual", ErrBroken)
			}
		} else if depth := int(f.take(5)); depth == 0 {
			clear(part)
		} else {
			for i := range part {
				part[i] = f.signed(depth)
			}
		}
		if f.pos > 8*len(f.b) {
			return nil // more is to come
		}
	}
	return nil
}

// predict turns residuals into samples. width is how many bits the sums may have.
func predict(out []int32, coefs []int32, shift, width int) {
	if width <= 32 {
		predictIn[int32](out, coefs, shift)
		return
	}
	predictIn[int64](out, coefs, shift)
}

func predictIn[T int32 | int64](out []int32, coefs []int32, shift int) {
	order := len(coefs)
	var c [32]T // in the order of the samples
	for i, v := range coefs {
		c[order-1-i] = T(v)
	}
	used := c[:order]
	for i := order; i < len(out); i++ {
		past := out[i-order : i]
		past = past[:len(used)]
		var sum, sum2 T
		j := 0
		for ; j+1 < len(used); j += 2 {
			sum += used[j] * T(past[j])
			sum2 += used[j+1] * T(past[j+1])
		}
		if j < len(used) {
			sum += used[j] * T(past[j])
		}
		out[i] += int32((sum + sum2) >> shift)
	}
}
