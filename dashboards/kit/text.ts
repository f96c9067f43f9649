/** What viewers read, in every language of the centre. Vietnamese is the first; engineers and guests may choose English. */
export const languages = ['vi', 'en'] as const;
export type Language = (typeof languages)[number];
export type Text = Readonly<Record<Language, string>>;

export const text = (vi: string, en: string): Text => ({ vi, en });
