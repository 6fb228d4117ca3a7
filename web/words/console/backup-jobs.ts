/** The words of creating, changing and deleting expected backups. */
export const en = {
  add: 'Add a backup',
  add_title: 'New expected backup',
  expect: 'Expect this database',
  edit: 'Edit',
  edit_title: (name: string, agent: string): string => `Edit ${name} on ${agent}`,
  save: 'Save',
  remove: 'Delete',
  remove_title: (name: string): string => `Stop expecting ${name}?`,
  remove_text:
    'One expected backup is deleted: nobody is notified of it any more, and its alerts end. Its results and files are kept.',
  removed: (name: string): string => `${name} is not expected any more.`,
  created: (name: string): string => `${name} is expected from now on.`,
  saved: 'Saved. New times apply from now on.',
  import: 'Import a file',
  first_rows: (n: string): string => `Only the first ${n} are shown.`,
  fields: {
    agent_id: 'Agent',
    database_name: 'Database',
    company_name: 'Company',
    city: 'City',
    neighborhood: 'District',
    expected_time: 'Expected at',
    days_of_week: 'On these days',
    grace_minutes: 'Grace period in minutes',
  },
  hints: {
    agent_id: 'As in its reports: its folder in the backup inbox has this name.',
    database_name: 'As in the agent’s reports.',
    expected_time: (zone: string): string => `In the zone of the organization, ${zone}.`,
    grace_minutes: 'How long after the expected time the backup counts as missing.',
    neighborhood: 'Optional.',
  },
  rules: {
    agent_id:
      'From 1 to 100 letters, digits, dots, hyphens and underscores; the first is a letter or a digit.',
    database_name: 'From 1 to 100 characters, as the agent writes it.',
    company_name: 'From 1 to 100 characters.',
    city: 'From 1 to 100 characters.',
    neighborhood: 'At most 100 characters.',
    expected_time: 'A time of day.',
    days_of_week: 'Choose at least one day.',
    grace_minutes: 'From 0 to 10,080 minutes (one week).',
  },
  taken: 'This agent already has an expected backup of this database.',
  /** Replace the words about due items in the import wizard. */
  import_words: {
    item: 'Agent / database',
    missing_note: 'Expected backups that are not in the file. They stay as they are.',
    changed_meanwhile: 'Somebody has changed these backups in the meantime. This is the current difference.',
    to_list: 'Go to the backups',
  },
};

export type BackupJobWords = typeof en;

export const fr: BackupJobWords = {
  add: 'Ajouter une sauvegarde',
  add_title: 'Nouvelle sauvegarde attendue',
  expect: 'Attendre cette base',
  edit: 'Modifier',
  edit_title: (name, agent) => `Modifier ${name} sur ${agent}`,
  save: 'Enregistrer',
  remove: 'Supprimer',
  remove_title: (name) => `Ne plus attendre ${name} ?`,
  remove_text:
    'Une sauvegarde attendue est supprimée : personne n’en est plus prévenu, et ses alertes prennent fin. Ses résultats et ses fichiers sont conservés.',
  removed: (name) => `${name} n’est plus attendue.`,
  created: (name) => `${name} est attendue à partir de maintenant.`,
  saved: 'Enregistré. Les nouvelles heures s’appliquent dès maintenant.',
  import: 'Importer un fichier',
  first_rows: (n) => `Seules les ${n} premières sont affichées.`,
  fields: {
    agent_id: 'Agent',
    database_name: 'Base',
    company_name: 'Entreprise',
    city: 'Ville',
    neighborhood: 'Quartier',
    expected_time: 'Attendue à',
    days_of_week: 'Les jours suivants',
    grace_minutes: 'Délai en minutes',
  },
  hints: {
    agent_id: 'Comme dans ses rapports : son dossier dans la boîte de dépôt porte ce nom.',
    database_name: 'Comme dans les rapports de l’agent.',
    expected_time: (zone) => `Dans le fuseau de l’organisation, ${zone}.`,
    grace_minutes: 'Temps accordé après l’heure attendue. Ensuite, la sauvegarde est manquante.',
    neighborhood: 'Facultatif.',
  },
  rules: {
    agent_id:
      'De 1 à 100 lettres, chiffres, points, traits d’union et tirets bas ; le premier est une lettre ou un chiffre.',
    database_name: 'De 1 à 100 caractères, comme l’agent l’écrit.',
    company_name: 'De 1 à 100 caractères.',
    city: 'De 1 à 100 caractères.',
    neighborhood: 'Au plus 100 caractères.',
    expected_time: 'Une heure de la journée.',
    days_of_week: 'Choisissez au moins un jour.',
    grace_minutes: 'De 0 à 10 080 minutes, soit une semaine.',
  },
  taken: 'Cet agent a déjà une sauvegarde attendue de cette base.',
  import_words: {
    item: 'Agent / base',
    missing_note: 'Sauvegardes attendues absentes du fichier. Elles restent telles quelles.',
    changed_meanwhile: 'Quelqu’un a modifié ces sauvegardes entre-temps. Voici la différence actuelle.',
    to_list: 'Aller aux sauvegardes',
  },
};
