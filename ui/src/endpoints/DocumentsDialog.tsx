// Which document describes which application: uploaded, looked at, taken away.
import { useState } from "react";
import type { Application } from "../api/schema";
import { ChangeDialog } from "../parts/ChangeDialog";
import { Bones } from "../parts/State";
import { Time } from "../parts/Time";
import { plural } from "../words/number";
import { useApplications, useDescribe } from "./documents";
import style from "./Endpoints.module.css";

export function DocumentsDialog({ onClose }: { onClose: () => void }) {
  const { data: applications } = useApplications();
  const change = useDescribe();
  const [chosen, setChosen] = useState<string | null>(null);
  const [file, setFile] = useState<{ name: string; text: string } | null>(null);
  const application = chosen ?? applications?.[0]?.application ?? "";
  const document = applications?.find((it) => it.application === application)?.document ?? null;
  const takesAway = file === null && document !== null;
  return (
    <ChangeDialog
      title="What the API is, by its OpenAPI document"
      does={takesAway ? "Take the document away" : "Upload"}
      pending={change.isPending}
      error={change.error}
      onSend={(by) =>
        change.mutate({ application, text: file?.text ?? null, ...by }, { onSuccess: onClose })
      }
      onClose={onClose}
    >
      <p className="soft">
        Requests are named as the document names them, and endpoints are marked: not documented, or
        described and asked for by nobody.
      </p>
      {applications === undefined ? (
        <Bones rows={2} label="Applications are loading" />
      ) : (
        <>
          <label>
            Application
            <select
              className="field"
              value={application}
              onChange={(event) => setChosen(event.target.value)}
            >
              {applications.map(({ application: name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
            <Standing document={document} />
          </label>
          <label>
            Document
            <input
              className={`field ${style.file}`}
              type="file"
              required={!takesAway}
              accept=".json,.yaml,.yml"
              onChange={(event) => {
                const [picked] = event.target.files ?? [];
                if (!picked) setFile(null);
                else void picked.text().then((text) => setFile({ name: picked.name, text }));
              }}
            />
            <span className="quiet">
              OpenAPI 3.x or Swagger 2.0, JSON or YAML, at most 1 MiB; in place of what is there.
            </span>
          </label>
        </>
      )}
    </ChangeDialog>
  );
}

function Standing({ document }: { document: Application["document"] }) {
  if (document == null) return <span className="quiet">Nothing was uploaded for it yet.</span>;
  return (
    <span className="soft">
      {document.title}: {plural(document.operations, "operation")}, {document.never_asked} of them
      never asked for; {plural(document.undocumented, "endpoint")} not documented. From{" "}
      {document.author}, <Time at={document.time} withDay />.
    </span>
  );
}
