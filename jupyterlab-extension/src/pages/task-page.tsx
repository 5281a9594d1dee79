import type { ReactNode } from 'react';
import { ReactPanel } from '../components/react-panel.js';
import { TaskDetail } from '../task/task-detail.js';
import type { IPilothouse } from '../tokens.js';
import { Missing } from './page.js';

/** The page of one task. */
export class TaskPage extends ReactPanel {
  /** What it is called, once that is known: a task of a set is not in the picture. */
  name: string | null = null;
  private part: { readonly name: string } | null = null;

  constructor(
    app: IPilothouse,
    readonly targetId: string,
  ) {
    super(app);
    this.addClass('ph-Page');
  }

  /** Scrolls to a part of the page: `log`. */
  reveal(part: string): void {
    this.part = { name: part };
    this.update();
  }

  protected content(): ReactNode {
    return (
      <TaskDetail
        id={this.targetId}
        part={this.part}
        onName={(name) => {
          this.name = name;
          this.title.label = name;
        }}
        missing={<Missing what={this.app.trans.__('task')} />}
      />
    );
  }
}
