import type { BackupReason } from '../../contracts/backups.js';
import type { BackupFacts } from './backup-data.js';
import type { NotificationData } from '../../contracts/kinds.js';
import type { Locale } from '../../contracts/locales.js';

/** What is said of a case. In `what`, `{backup}` stands for the database and where it is, `{time}` for its hour. */
export interface Text {
  what: string;
  todo: string;
}

export type Damage = NotificationData['backup_damaged']['state'];

/** Why a backup is not good, in the words of who has to act. */
export const REASONS: Record<Locale, Record<BackupReason, Text>> = {
  fr: {
    no_report: {
      what: 'Aucun rapport n’est arrivé pour {backup}, attendu à {time}.',
      todo: 'Vérifiez sur place que la machine de l’agent est allumée et reliée au réseau et que la sauvegarde est bien planifiée, puis relancez-la.',
    },
    report_rejected: {
      what: 'Le rapport reçu pour {backup} a été refusé : il n’est pas valable.',
      todo: 'Le détail donne le motif du refus. Corrigez l’agent, puis faites-lui renvoyer son rapport.',
    },
    no_staged_file: {
      what: 'Un rapport est arrivé pour {backup}, mais pas le fichier qu’il annonce.',
      todo: 'Vérifiez que l’agent est allé au bout de son transfert et qu’il lui reste de la place, puis relancez la sauvegarde.',
    },
    agent_failed: {
      what: 'L’agent signale l’échec de la sauvegarde pour {backup}.',
      todo: 'Lisez l’erreur de l’agent, corrigez-en la cause, puis relancez la sauvegarde.',
    },
    agent_transfer_failed: {
      what: 'L’agent signale un transfert incomplet ou altéré pour {backup}.',
      todo: 'Vérifiez la connexion de l’agent et la place disponible des deux côtés, puis relancez le transfert.',
    },
    hash_differs: {
      what: 'Le fichier reçu pour {backup} n’est pas celui que l’agent annonce : son empreinte est différente.',
      todo: 'Ne restaurez pas ce fichier, il est mis en quarantaine. Relancez la sauvegarde ; si l’écart revient, contrôlez le disque et le réseau de l’agent.',
    },
    unsafe_name: {
      what: 'Le fichier annoncé pour {backup} porte un nom interdit, qui pourrait mener hors du dossier de l’agent : il n’a pas été lu.',
      todo: 'Corrigez le nom que donne l’agent. Si ce nom ne vient pas de vous, tenez cet agent pour compromis.',
    },
    symbolic_link: {
      what: 'Le fichier annoncé pour {backup} est un lien symbolique : il n’a pas été suivi.',
      todo: 'Faites déposer le fichier lui-même, et non un lien. Si ce lien ne vient pas de vous, tenez cet agent pour compromis.',
    },
    not_a_file: {
      what: 'Ce que l’agent annonce pour {backup} n’est pas un fichier ordinaire.',
      todo: 'Faites déposer un fichier ordinaire, puis relancez la sauvegarde.',
    },
    unreadable: {
      what: 'Le fichier reçu pour {backup} ne peut pas être lu.',
      todo: 'Contrôlez les droits du dossier de réception et le disque du serveur de Vigie.',
    },
    store_full: {
      what: 'Le stockage final est plein : le fichier reçu pour {backup}, conforme, n’a pas pu y être rangé.',
      todo: 'Libérez de la place dans le stockage. Le fichier reçu est gardé, et sera rangé dès que possible.',
    },
    store_failed: {
      what: 'Le fichier reçu pour {backup} est conforme, mais n’a pas pu être rangé dans le stockage final.',
      todo: 'Contrôlez le disque et les droits du stockage. Le fichier reçu est gardé, et sera rangé dès que possible.',
    },
    target_taken: {
      what: 'Un autre fichier occupe, dans le stockage final, la place de celui reçu pour {backup}.',
      todo: 'Comparez les deux fichiers et déplacez celui qui n’a rien à y faire : Vigie ne remplace jamais un fichier stocké.',
    },
  },
  en: {
    no_report: {
      what: 'No report has come for {backup}, expected at {time}.',
      todo: 'Check on site that the agent’s machine is on and connected and that the backup is scheduled, then run it again.',
    },
    report_rejected: {
      what: 'The report that came for {backup} was rejected: it is not valid.',
      todo: 'The detail says why it was rejected. Correct the agent, then have it send its report again.',
    },
    no_staged_file: {
      what: 'A report has come for {backup}, but not the file that it names.',
      todo: 'Check that the agent has completed its transfer and has space left, then run the backup again.',
    },
    agent_failed: {
      what: 'The agent reports that the backup has failed for {backup}.',
      todo: 'Read the agent’s error, correct its cause, then run the backup again.',
    },
    agent_transfer_failed: {
      what: 'The agent reports an incomplete or corrupted transfer for {backup}.',
      todo: 'Check the agent’s connection and the space on both sides, then run the transfer again.',
    },
    hash_differs: {
      what: 'The file that came for {backup} is not the one that the agent reports: its hash is different.',
      todo: 'Do not restore this file, it is in quarantine. Run the backup again; if they differ again, check the agent’s disk and network.',
    },
    unsafe_name: {
      what: 'The file reported for {backup} has a forbidden name that could lead out of the agent’s folder: it was not read.',
      todo: 'Correct the name that the agent gives. If that name is not of your making, consider this agent compromised.',
    },
    symbolic_link: {
      what: 'The file reported for {backup} is a symbolic link: it was not followed.',
      todo: 'Have the file itself put there, not a link. If that link is not of your making, consider this agent compromised.',
    },
    not_a_file: {
      what: 'What the agent reports for {backup} is no regular file.',
      todo: 'Have a regular file put there, then run the backup again.',
    },
    unreadable: {
      what: 'The file that came for {backup} can not be read.',
      todo: 'Check the permissions of the inbox and the disk of Vigie’s server.',
    },
    store_full: {
      what: 'The final storage is full: the file that came for {backup} is good, but could not be stored.',
      todo: 'Make room in the storage. The file is kept, and will be stored as soon as possible.',
    },
    store_failed: {
      what: 'The file that came for {backup} is good, but could not be put into the final storage.',
      todo: 'Check the storage’s disk and permissions. The file is kept, and will be stored as soon as possible.',
    },
    target_taken: {
      what: 'Another file has the place, in the final storage, of the one that came for {backup}.',
      todo: 'Compare the two files and move the one that does not belong there: Vigie never replaces a stored file.',
    },
  },
};

export const RECOVERED: Record<Locale, Record<'well' | NonNullable<BackupFacts['warning']>, Text>> = {
  fr: {
    well: {
      what: 'La sauvegarde est de nouveau bonne pour {backup}.',
      todo: 'Il n’y a rien à faire : le fichier a été contrôlé et rangé dans le stockage.',
    },
    size_differs: {
      what: 'La sauvegarde est de nouveau bonne pour {backup}.',
      todo: 'Le fichier est le bon, mais sa taille n’est pas celle que l’agent annonce : contrôlez la façon dont l’agent la mesure.',
    },
  },
  en: {
    well: {
      what: 'The backup is good again for {backup}.',
      todo: 'There is nothing to do: the file was verified and stored.',
    },
    size_differs: {
      what: 'The backup is good again for {backup}.',
      todo: 'The file is the right one, but its size is not what the agent reports: check how the agent measures it.',
    },
  },
};

export const DAMAGE: Record<Locale, Record<Damage, Text & { title: string }>> = {
  fr: {
    damaged: {
      title: 'FICHIER STOCKÉ ALTÉRÉ',
      what: 'Une sauvegarde stockée a changé depuis qu’elle a été contrôlée, pour {backup}.',
      todo: 'Ne restaurez pas ce fichier. Contrôlez le disque du stockage, et gardez une autre sauvegarde à portée de main.',
    },
    gone: {
      title: 'FICHIER STOCKÉ DISPARU',
      what: 'Une sauvegarde a disparu du stockage, pour {backup}.',
      todo: 'Vérifiez que le stockage est bien monté et que personne n’a déplacé ce fichier.',
    },
  },
  en: {
    damaged: {
      title: 'STORED FILE DAMAGED',
      what: 'A stored backup has changed since it was verified, for {backup}.',
      todo: 'Do not restore this file. Check the storage’s disk, and keep another backup at hand.',
    },
    gone: {
      title: 'STORED FILE GONE',
      what: 'A backup has disappeared from the storage, for {backup}.',
      todo: 'Check that the storage is mounted and that nobody has moved this file.',
    },
  },
};
