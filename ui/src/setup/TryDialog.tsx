import { useState } from "react";
import { parse } from "yaml";
import { ApiProblem } from "../api/problem";
import { go } from "../app/router";
import { ChangeDialog, Fields, type By } from "../parts/ChangeDialog";
import { putCandidate, useChange } from "./data";
import { SampleFields } from "./SampleFields";

interface Props {
  text: string;
  onClose: () => void;
  onRefused: (error: Error) => void;
}

/** Tries a policy for some clients: nothing changes for anyone. */
export function TryDialog({ text, onClose, onRefused }: Props) {
  const [name, setName] = useState("next");
  const [sample, setSample] = useState({ clients_share: 0.1, minutes: 60 });
  const change = useChange((by: By) => putCandidate(name, parse(text), sample, by));
  return (
    <ChangeDialog
      title="Try it beside the policy"
      does="Try it"
      pending={change.isPending}
      error={change.error}
      onSend={(by) =>
        change.mutate(by, {
          onSuccess: () => go("/setup/candidates"),
          onError: (error) => {
            if (error instanceof ApiProblem && error.word === "policy-refused") onRefused(error);
          },
        })
      }
      onClose={onClose}
    >
      <p className="soft">
        Filters compute, for a share of the clients, which sessions it would have made. Nothing
        changes for anyone.
      </p>
      <Fields>
        <label>
          Name
          <input
            className="field"
            required
            pattern="[a-z0-9_\-]{1,32}"
            title="1 to 32 lower-case letters, digits, - and _"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
      </Fields>
      <SampleFields sample={sample} onChange={setSample} />
    </ChangeDialog>
  );
}
