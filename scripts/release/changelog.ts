/** What CHANGELOG.md says of a version, without its heading. Throws where it says nothing: a release tells what is in it. */
export function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^(?=## )/m);
  const section = sections.find((text) =>
    new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d\\d-\\d\\d$`, 'm').test(text),
  );
  const notes = section?.slice(section.indexOf('\n')).trim() ?? '';
  if (notes === '')
    throw new Error(`CHANGELOG.md has no section "## [${version}] - YEAR-MONTH-DAY" with a line in it: move what is in "Unreleased" there`);
  return `${notes}\n`;
}
