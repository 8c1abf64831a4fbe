import { usualLimits } from "./usualLimits.ts";

/** Python reading the folder it is called in. */
export const python = {
  meta: { name: "python", description: "Python, reading the current folder" },
  workdir: { access: "read" },
  exec: {
    allow: ["python3", "python", "pip", "pip3"],
    libraries: ["$WORKDIR/.venv", "$WORKDIR/venv"],
  },
  environment: {
    allow_vars: ["PYTHON*", "VIRTUAL_ENV"],
    set: { PYTHONDONTWRITEBYTECODE: "1" },
  },
  limits: usualLimits,
};
