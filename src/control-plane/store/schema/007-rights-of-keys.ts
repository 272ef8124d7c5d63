// What a key may do beyond asking, and what is done for it. Keys made before may and get what every key does by default.

export const rightsOfKeys = `
ALTER TABLE keys ADD COLUMN may_manage INTEGER NOT NULL DEFAULT 0;
ALTER TABLE keys ADD COLUMN resume INTEGER NOT NULL DEFAULT 1;
`;
