/** Variables by name; handed around as a value so that two routers in one process can have different ones. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of this process; nothing else in the project reads them. */
export function processEnvironment(): Environment {
  return process.env;
}
