/** Names the synthetic grant of a host that no grant has. No real grant can be called so. */
export const UNKNOWN_GRANT = "(unknown)";
