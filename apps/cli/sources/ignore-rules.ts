import ignore from "ignore";

/** Says which paths of a source are passed over: hidden ones, `node_modules`, and what patterns name. */
export interface IgnoreRules {
  /** @param path from the root of the source, without a leading slash; a folder's ends with one */
  matches(path: string): boolean;
}

/** @param patterns in the form of a .gitignore: "*.tmp", "drafts/", "/secret.md", "!keep.tmp" */
export function ignoreRules(patterns: readonly string[]): IgnoreRules {
  // Keys of a bucket may begin with a slash, or hold "..": they are no paths to escape by.
  const rules = ignore({ allowRelativePaths: true }).add(["node_modules/", ...patterns]);
  return {
    // Hidden files are never meant, whatever a pattern says.
    matches: (path) => path.split("/").some((part) => part.startsWith(".")) || rules.ignores(path),
  };
}
