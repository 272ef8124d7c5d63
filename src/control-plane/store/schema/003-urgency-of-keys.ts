// What a key may ask of its place in the waiting room. Keys made before may do what every key may by default.

export const urgencyOfKeys = `
ALTER TABLE keys ADD COLUMN max_priority TEXT NOT NULL DEFAULT 'normal';
ALTER TABLE keys ADD COLUMN max_deadline_ms INTEGER;
`;
