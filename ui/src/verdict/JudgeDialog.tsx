import type { VerdictWithEvidence } from "../api/schema";
import { ChangeDialog } from "../parts/ChangeDialog";
import { botName } from "../words/bot";
import { useJudge, type Judgement } from "./data";

interface Props {
  verdict: Pick<VerdictWithEvidence, "id" | "bot_type" | "subject">;
  label: Judgement["label"];
  onClose: () => void;
}

const TEXT = {
  confirmed: {
    title: "It is a bot?",
    does: "Confirm the verdict",
    about: "The verdict stands as it is; that a person agrees is kept for the evaluation.",
  },
  wrong: {
    title: "It is no bot?",
    does: "Reject the verdict",
    about:
      "The verdict is withdrawn, and there will be no other on this session until you take that back.",
  },
  taken: {
    title: "Take back what was said?",
    does: "Take it back",
    about: "The session is judged again as any other.",
  },
};

/** Says what a person thinks of a verdict. */
export function JudgeDialog({ verdict, label, onClose }: Props) {
  const change = useJudge(verdict.id);
  const text = TEXT[label ?? "taken"];
  return (
    <ChangeDialog
      title={text.title}
      does={text.does}
      pending={change.isPending}
      error={change.error}
      onSend={({ author, comment }) =>
        change.mutate({ label, note: comment, author }, { onSuccess: onClose })
      }
      onClose={onClose}
    >
      <p className="soft">
        {botName(verdict.bot_type)}, session <code>{verdict.subject.slice(0, 12)}</code>.{" "}
        {text.about}
      </p>
    </ChangeDialog>
  );
}
