import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { BehaviorSubject, type Observable } from 'rxjs';

/** What users can choose in JupyterLab's settings editor, under "Pilothouse". */
export interface PreferenceValues {
  readonly notifyPilotActive: boolean;
  readonly notifyEndingSoon: boolean;
  readonly notifyServiceFailed: boolean;
  readonly notifySetEnded: boolean;
  readonly whileYouWereAway: boolean;
  readonly statusBar: boolean;
  readonly renderMarkdown: boolean;
}

const DEFAULTS: PreferenceValues = {
  notifyPilotActive: true,
  notifyEndingSoon: true,
  notifyServiceFailed: true,
  notifySetEnded: true,
  whileYouWereAway: true,
  statusBar: true,
  renderMarkdown: true,
};

/** The settings as a value that changes. */
export class Preferences {
  private readonly subject = new BehaviorSubject<PreferenceValues>(DEFAULTS);

  get value(): PreferenceValues {
    return this.subject.value;
  }

  get value$(): Observable<PreferenceValues> {
    return this.subject;
  }

  /** Follows JupyterLab's settings from now on. */
  follow(settings: ISettingRegistry.ISettings): void {
    const read = () => {
      const flag = (key: keyof PreferenceValues): boolean => {
        const value = settings.get(key).composite;
        return typeof value === 'boolean' ? value : DEFAULTS[key];
      };
      this.subject.next({
        notifyPilotActive: flag('notifyPilotActive'),
        notifyEndingSoon: flag('notifyEndingSoon'),
        notifyServiceFailed: flag('notifyServiceFailed'),
        notifySetEnded: flag('notifySetEnded'),
        whileYouWereAway: flag('whileYouWereAway'),
        statusBar: flag('statusBar'),
        renderMarkdown: flag('renderMarkdown'),
      });
    };
    settings.changed.connect(read);
    read();
  }
}
