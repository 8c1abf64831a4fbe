/**
 * What a command of a built-in profile may use up unless a flag or a profile of the user's says
 * otherwise: the same as a bot's, which is far more than builds and gateways were seen to need, and
 * less than what hurts a machine.
 */
export const usualLimits = {
  memory: "4G",
  processes: 2048,
  openFiles: 16_384,
  fileSize: "16G",
};
