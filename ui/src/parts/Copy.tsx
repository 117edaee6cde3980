import { useEffect, useState } from "react";

interface Props {
  text: string;
  /** What is copied, e.g. `session id`. */
  what: string;
  className?: string | undefined;
  children?: React.ReactNode;
}

/** Copies `text`; says so in its own place for a moment. */
export function Copy({ text, what, className = "button", children }: Props) {
  const [said, say] = useState<"" | "Copied" | "Not copied">("");
  useEffect(() => {
    if (said === "") return;
    const timer = setTimeout(() => say(""), 1500);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => say("Copied"),
      () => say("Not copied"),
    );
  };
  return (
    <button type="button" className={className} onClick={copy} title={`Copy the ${what}`}>
      {said === "" ? (children ?? `Copy ${what}`) : said}
      <span className="unseen" role="status">
        {said}
      </span>
    </button>
  );
}
