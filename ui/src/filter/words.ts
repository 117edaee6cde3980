// A filter's text as words, one per term: `-user:"dana k" errors>=5`.

/** Words by spaces outside of quotes. */
export function split(text: string): string[] {
  return text.match(/(?:[^\s"]|"(?:\\.|[^"\\])*"?)+/g) ?? [];
}

/** A term that says that the field is the value. */
export function term(field: string, value: string): string {
  const isPlain = /^[^\s",*]+$/.test(value) && !value.includes("..");
  return `${field}:${isPlain ? value : `"${value.replace(/(["\\])/g, "\\$1")}"`}`;
}

/** A term of the API as one would write it: without quotes where none are needed. */
export function tidy(word: string): string {
  return word.replace(
    /^(-?[\w.-]+:)"([^\s",*\\]+)"$/,
    (all: string, field: string, value: string) => (value.includes("..") ? all : field + value),
  );
}

/** The words with `word`, and without its opposite; `leaveOut` puts the opposite. */
export function including(words: string[], word: string, leaveOut = false): string[] {
  const wanted = leaveOut ? `-${word}` : word;
  const opposite = leaveOut ? word : `-${word}`;
  return [...words.filter((other) => other !== opposite && other !== wanted), wanted];
}

/** The words of a filter but those that say when. */
export function withoutTime(text: string): string[] {
  return split(text).filter((word) => !saysWhen([word]));
}

/** Whether the words say when; the range of the page does not count then. */
export function saysWhen(words: string[]): boolean {
  return words.some((word) => /^(last|from|to)[:<>]/.test(word));
}
