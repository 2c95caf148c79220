package secret

import "encoding/binary"

// alphabet has the digits of base62 in the order of their values, which is also that of their bytes.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// maxWords is the size of the longest number, 256 bits, in words of 32.
const maxWords = 8

// encode62 writes the big-endian number in src as base62 digits that fill dst, with leading zeros. src has a multiple
// of 4 bytes, 32 at most; dst is long enough for the greatest number of that size.
func encode62(dst, src []byte) {
	var words [maxWords]uint32
	n := len(src) / 4
	for i := range n {
		words[i] = binary.BigEndian.Uint32(src[4*i:])
	}
	for i := len(dst) - 1; i >= 0; i-- {
		var rest uint64
		for j := range n {
			rest = rest<<32 | uint64(words[j])
			words[j] = uint32(rest / 62) // rest / 62 < 2^32, since the rest before was below 62
			rest %= 62
		}
		dst[i] = alphabet[rest]
	}
}

// decode62 is the inverse of encode62. It reports whether every character is a digit and the number fits into dst.
func decode62(dst []byte, digits string) bool {
	var words [maxWords]uint32
	n := len(dst) / 4
	for i := range len(digits) {
		value := value62(digits[i])
		if value < 0 {
			return false
		}
		carry := uint64(value)
		for j := n - 1; j >= 0; j-- {
			carry += uint64(words[j]) * 62
			words[j] = uint32(carry) // the low half stays, the high half is carried
			carry >>= 32
		}
		if carry != 0 {
			return false
		}
	}
	for i := range n {
		binary.BigEndian.PutUint32(dst[4*i:], words[i])
	}
	return true
}

// value62 returns the value of a base62 digit, or -1.
func value62(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'Z':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 36
	default:
		return -1
	}
}
