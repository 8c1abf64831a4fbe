/** Error numbers, the same on x86-64 and arm64 (include/uapi/asm-generic/errno*.h). */
export const EPERM = 1;
export const EINVAL = 22;
export const ENOSYS = 38;
export const EPROTONOSUPPORT = 93;
export const EOPNOTSUPP = 95;
export const EAFNOSUPPORT = 97;
