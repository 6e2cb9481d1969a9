// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// BackupDone is what a backup tells when it is whole, as its container's termination message.
type BackupDone struct {
	Name        string    `json:"name"`
	CompletedAt time.Time `json:"completedAt"`
	// Size is in bytes.
	Size int64 `json:"size"`
}

// Write puts it into a file as one line of JSON. No file is named: nothing is done.
func (d BackupDone) Write(file string) error { return tell(file, d) }

// RestoreDone is what a restore tells when it has restored something.
type RestoreDone struct {
	RestoredFrom string `json:"restoredFrom"`
}

// Write puts it into a file as one line of JSON. No file is named: nothing is done.
func (d RestoreDone) Write(file string) error { return tell(file, d) }

func tell(file string, what any) error {
	if file == "" {
		return nil
	}
	text, err := json.Marshal(what)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("tell what was done: %w", err)
	}
	return nil
}

// LastBackup is how the backups of an archive went last.
type LastBackup struct {
	// Done is the newest that is whole; nil when none is told of any more.
	Done *BackupDone
	// Ended tells that one has ended at all, and Failed that the newest did not make a backup, for the reason.
	Ended, Failed   bool
	Reason, Message string
}

// OfBackups reads how the backups went from their Jobs and pods.
func OfBackups(jobs []batchv1.Job, pods []corev1.Pod) (last LastBackup) {
	var newest time.Time
	for i := range jobs {
		job := &jobs[i]
		ended, failed, why := endOf(job)
		if ended.IsZero() {
			continue
		}
		told := saidBy(job.Name, pods)
		if !failed && told.done != nil && (last.Done == nil || told.done.CompletedAt.After(last.Done.CompletedAt)) {
			last.Done = told.done
		}
		if ended.Before(newest) {
			continue
		}
		newest, last.Ended, last.Failed, last.Reason, last.Message = ended, true, failed, "", ""
		if failed {
			last.Reason, last.Message = why.Reason, why.Message
			if told.reason != "" {
				last.Reason, last.Message = told.reason, told.message
			}
		}
	}
	return last
}

// endOf tells when a Job ended, and whether it failed.
func endOf(job *batchv1.Job) (ended time.Time, failed bool, why batchv1.JobCondition) {
	for _, c := range job.Status.Conditions {
		if c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) {
			return c.LastTransitionTime.Time, c.Type == batchv1.JobFailed, c
		}
	}
	return time.Time{}, false, batchv1.JobCondition{}
}

type jobSaid struct {
	at              time.Time
	done            *BackupDone
	reason, message string
}

// saidBy reads what the last pod of a Job said when it ended.
func saidBy(job string, pods []corev1.Pod) (last jobSaid) {
	for i := range pods {
		if pods[i].Labels[batchv1.JobNameLabel] != job {
			continue
		}
		for _, c := range pods[i].Status.ContainerStatuses {
			ended := c.State.Terminated
			if c.Name != BackupContainer || ended == nil || ended.FinishedAt.Time.Before(last.at) {
				continue
			}
			last = jobSaid{at: ended.FinishedAt.Time}
			var done BackupDone
			if ended.ExitCode != 0 {
				last.reason, last.message = told(ended)
			} else if json.Unmarshal([]byte(ended.Message), &done) == nil && done.valid() {
				last.done = &done
			}
		}
	}
	return last
}

// valid holds what a pod said to what a status may hold.
func (d *BackupDone) valid() bool {
	return backupForm.MatchString(d.Name) && !d.CompletedAt.IsZero() && d.Size > 0
}

var backupForm = regexp.MustCompile(`^[A-Za-z0-9][-._A-Za-z0-9]{0,252}$`)

// RestoredFrom is the backup that one of the pods was restored from; empty when none says so.
func RestoredFrom(pods []corev1.Pod) string {
	for i := range pods {
		for _, c := range pods[i].Status.InitContainerStatuses {
			var done RestoreDone
			if ended := c.State.Terminated; c.Name == RestoreContainer && ended != nil && ended.ExitCode == 0 &&
				json.Unmarshal([]byte(ended.Message), &done) == nil && backupForm.MatchString(done.RestoredFrom) {
				return done.RestoredFrom
			}
		}
	}
	return ""
}
