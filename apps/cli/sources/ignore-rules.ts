import ignore from "ignore";

/** Says which paths of a source are passed over: hidden ones, `node_modules`, and what patterns name. */
export interface IgnoreRules {
  /** @param path from the root of the source, without a leading slash; a folder's ends with one */
  matches(path: string): boolean;
}

/** @param patterns in the form of a .gitignore: "*.tmp", "drafts/", "/secret.md", "!keep.tmp" */
export function ignoreRules(patterns: readonly string[]): IgnoreRules {
  const rules = ignore().add(["node_modules/", ...patterns]);
  return {
    // Hidden files are never meant, whatever a pattern says; and `ignore` refuses paths such as "./a".
    matches: (path) => path.split("/").some((part) => part.startsWith(".")) || rules.ignores(path),
  };
}
