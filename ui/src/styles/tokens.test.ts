import { expect, test } from "vitest";
import css from "./tokens.css?raw";

/** WCAG 2.2, 1.4.3: what text needs at least. */
const CONTRAST_MIN = 4.5;
const INKS = ["ink", "ink-2", "ink-3"];
/** Text of any ink may stand on these: rows are chosen and pointed at. */
const GROUNDS = ["page", "panel", "raised", "hover", "chosen", "accent-soft"];

/** A colour's names in the light and the dark theme. */
function colours(name: string): string[] {
  const found = new RegExp(`--${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(css);
  if (!found) throw new Error(`tokens.css has no --${name}`);
  return found.slice(1);
}

function luminance(colour: string): number {
  const linear = (from: number) => {
    const part = parseInt(colour.slice(from, from + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(1) + 0.7152 * linear(3) + 0.0722 * linear(5);
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((one, two) => one - two);
  return (high + 0.05) / (low + 0.05);
}

test("every ink can be read on every ground, in both themes", () => {
  const tooLow = INKS.flatMap((ink) =>
    GROUNDS.flatMap((ground) =>
      colours(ink).flatMap((colour, theme) => {
        const got = contrast(colour, colours(ground)[theme] ?? "");
        return got < CONTRAST_MIN ? [`${ink} on ${ground}: ${got.toFixed(2)}`] : [];
      }),
    ),
  );
  expect(tooLow).toEqual([]);
});
